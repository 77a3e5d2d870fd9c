package libagent

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Of each kind of request at most this many run at once, and at most this many more wait; what comes beyond is
// answered with an error.
const (
	maxRunning = 32
	maxWaiting = 1024
)

// maxControlReply is the largest reply that goes out before bulk.
const maxControlReply = 4 << 10

// handler answers one kind of message.
type handler struct {
	name    string
	slots   chan struct{} // one for each that runs
	pending atomic.Int64  // running and waiting

	// take decodes a frame, which it must not keep, and returns what is to be run for it.
	take func(f *wire.Frame) (func(ctx context.Context) error, error)
}

// Handle registers the handler of a request that has one reply. It runs on a goroutine of its own, beside others of its
// kind (32 at most, more wait); ctx ends when the agent stops. An error, and a panic too, is answered as an error. When
// the connection is lost in the meantime, the reply goes out on the next one.
//
// To be called in Setup.
func Handle[Q, R any](ag *Agent, c wire.Call[Q, R], fn func(ctx context.Context, q Q) (R, error)) {
	register(ag, c.Request, func(ctx context.Context, task string, q Q) error {
		r, err := fn(ctx, q)
		if err != nil {
			return err
		}
		b, err := c.Reply.Append(nil, task, &r)
		if err != nil {
			return err
		}
		return ag.send(b)
	})
}

// HandleNotice registers the handler of a message that has no reply. It runs as one of [Handle] does. An error is
// reported to the server if the message belongs to a task, and logged.
//
// To be called in Setup.
func HandleNotice[Q any](ag *Agent, m *wire.Message[Q], fn func(ctx context.Context, q Q) error) {
	register(ag, m, func(ctx context.Context, _ string, q Q) error { return fn(ctx, q) })
}

// register adds a handler under the number of its message.
func register[Q any](ag *Agent, m *wire.Message[Q], run func(ctx context.Context, task string, q Q) error) {
	ag.addHandler(m.Type(), &handler{
		name:  m.Name(),
		slots: make(chan struct{}, maxRunning),
		take: func(f *wire.Frame) (func(context.Context) error, error) {
			q, err := m.Decode(f)
			if err != nil {
				return nil, err
			}
			task := f.Task
			return func(ctx context.Context) error { return run(ctx, task, q) }, nil
		},
	})
}

// dispatch hands a frame to its handler and does not wait for it.
func (ag *Agent) dispatch(f *wire.Frame) {
	h := ag.handlers[f.Type]
	if h == nil {
		ag.ignored(f)
		return
	}
	task := f.Task
	run, err := h.take(f)
	if err != nil {
		ag.log.Warn("request cannot be understood", "type", h.name, "task", task, "error", err)
		ag.replyError(task, err)
		return
	}
	if h.pending.Add(1) > maxRunning+maxWaiting {
		h.pending.Add(-1)
		ag.replyError(task, fmt.Errorf("too many requests of type %s at once", h.name))
		return
	}
	if !ag.work.start(func() {
		defer h.pending.Add(-1)
		ag.serve(h, task, run)
	}) {
		h.pending.Add(-1)
		ag.replyError(task, ErrStopping)
	}
}

// serve runs one request when its turn has come.
func (ag *Agent) serve(h *handler, task string, run func(context.Context) error) {
	ctx := ag.work.ctx
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		ag.replyError(task, ErrStopping)
		return
	}
	if err := ag.guard(h.name, task, func() error { return run(ctx) }); err != nil {
		ag.log.Warn("request failed", "type", h.name, "task", task, "error", err)
		ag.replyError(task, err)
	}
}

// guard turns a panic of the author's code into an error, with its stack in the log.
func (ag *Agent) guard(name, task string, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			ag.log.Error("panic", "in", name, "task", task, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%s: panic: %v", name, p)
		}
	}()
	return fn()
}

// callback calls the author's code that returns nothing. Its panic is logged.
func (ag *Agent) callback(name string, fn func()) {
	_ = ag.guard(name, "", func() error { fn(); return nil })
}

// send puts a reply into the outbox: a small one before bulk. It waits while the outbox is full, beyond the end of the
// handler's context, because what ran to its end while the agent stops is to be answered as well.
func (ag *Agent) send(frame []byte) error {
	l := conn.Bulk
	if len(frame) <= maxControlReply {
		l = conn.Control
	}
	return ag.put(ag.life, l, frame)
}

// put puts a frame into the outbox.
func (ag *Agent) put(ctx context.Context, l conn.Lane, frame []byte) error {
	if len(frame) > maxFrame {
		return fmt.Errorf("%w: %d bytes of %d", ErrTooBig, len(frame), maxFrame)
	}
	return ag.out.put(ctx, l, frame)
}

// replyError answers a task with an error; what belongs to no task is not answered. It does not wait: it is called by the
// goroutine that receives.
func (ag *Agent) replyError(task string, err error) {
	if task == "" {
		return
	}
	if !ag.out.tryPut(conn.Control, wire.AppendError(nil, task, err.Error())) {
		ag.log.Warn("answer dropped: outbox is full", "task", task)
	}
}

// ignored notes a frame that nobody handles.
func (ag *Agent) ignored(f *wire.Frame) {
	if f.Type == 0 {
		ag.log.Warn("server reports an error", "task", f.Task, "error", f.Error)
		return
	}
	ag.log.Debug("message ignored", "type", int(f.Type), "task", f.Task)
}
