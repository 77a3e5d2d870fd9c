package libagent

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// maxPending is how many bytes of payload all requests together may have that run or wait.
const maxPending = 64 << 20

// maxControlReply is the largest reply that goes out before bulk.
const maxControlReply = 4 << 10

// handler answers one kind of message.
type handler struct {
	name   string
	field  string // of the payload
	stream bool   // a task leaves its turn itself, and an error goes behind the replies that were sent
	turns  turns

	// take decodes a frame, which it must not keep, and returns what is to be run for it.
	take func(f *wire.Frame) (func(ctx context.Context) error, error)
}

// Handle registers the handler of a request that has one reply. It runs on a goroutine of its own, beside others of its
// kind, as many as [AtOnce] says; ctx ends when the agent stops. An error, and a panic too, is answered as an error. When
// the connection is lost in the meantime, the reply goes out on the next one.
//
// To be called in Setup.
func Handle[Q, R any](ag *Agent, c wire.Call[Q, R], fn func(ctx context.Context, q Q) (R, error), opts ...HandleOption) {
	ag.declare(c.Reply.Type(), c.Reply.Name(), c.Reply.Field())
	register(ag, c.Request, false, opts, func(ctx context.Context, task string, _ time.Time, q Q) error {
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
func HandleNotice[Q any](ag *Agent, m *wire.Message[Q], fn func(ctx context.Context, q Q) error, opts ...HandleOption) {
	register(ag, m, false, opts, func(ctx context.Context, _ string, _ time.Time, q Q) error { return fn(ctx, q) })
}

// register adds a handler under the number of its message. Run is told when the request came.
func register[Q any](
	ag *Agent, m *wire.Message[Q], stream bool, opts []HandleOption, run func(ctx context.Context, task string, came time.Time, q Q) error,
) {
	h := &handler{
		name:   m.Name(),
		field:  m.Field(),
		stream: stream,
		turns:  turns{atOnce: defaultAtOnce, most: defaultQueue},
		take: func(f *wire.Frame) (func(context.Context) error, error) {
			q, err := m.Decode(f)
			if err != nil {
				return nil, err
			}
			task, came := f.Task, time.Now()
			return func(ctx context.Context) error { return run(ctx, task, came, q) }, nil
		},
	}
	for _, o := range opts {
		if err := o(&h.turns); err != nil {
			ag.setupError(fmt.Errorf("message %s (%d): %w", m.Name(), m.Type(), err))
		}
	}
	ag.addHandler(m.Type(), h)
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
		ag.noise.warn(ag.log, "request cannot be understood", slog.String("type", h.name), slog.String("task", task), slog.String("error", clip(err.Error(), maxPeerText)))
		ag.refuse(task, err)
		return
	}
	if !ag.work.hold(h.name) {
		ag.refuse(task, ErrStopping)
		return
	}
	payload, _ := f.Raw(h.field)
	size := int64(len(payload))
	pending := ag.pendingBytes.Add(size)
	if pending <= maxPending || pending == size {
		if h.turns.take(func() {
			ag.work.run(h.name, func() {
				defer ag.pendingBytes.Add(-size)
				ag.serve(h, task, run)
			})
		}) {
			return
		}
	}
	ag.pendingBytes.Add(-size)
	ag.work.release(h.name)
	running, waiting := h.turns.counts()
	ag.refuse(task, fmt.Errorf("too many requests of type %s at once: %d run, %d wait", h.name, running, waiting))
}

// serve runs one request, whose turn has come.
func (ag *Agent) serve(h *handler, task string, run func(context.Context) error) {
	ctx := ag.work.ctx
	if ctx.Err() != nil {
		h.turns.leave()
		ag.refuse(task, ErrStopping)
		return
	}
	if !h.stream {
		defer h.turns.leave()
	}
	err := ag.guard(h.name, task, func() error { return run(ctx) })
	if err == nil {
		return
	}
	ag.noise.warn(ag.log, "request failed", slog.String("type", h.name), slog.String("task", task), slog.String("error", err.Error()))
	if h.stream && task != "" {
		err = ag.put(context.Background(), conn.Bulk, errorFrame(task, err), ag.replies.Done(), ErrStopping)
	} else {
		ag.refuse(task, err)
		err = nil
	}
	if err != nil {
		ag.log.Warn("answer dropped", "task", task, "error", err)
	}
}

// endWaiting has the requests that wait for their turn refused.
func (ag *Agent) endWaiting() {
	for _, h := range ag.handlers {
		h.turns.close()
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

// callback runs the author's code that returns nothing, on a goroutine of its own. Its panic is logged. While the last call
// of that name still runs there is no other. The channel is closed when it has returned.
func (ag *Agent) callback(name string, fn func()) <-chan struct{} {
	done := make(chan struct{})
	if !ag.calls.startOnce(name, func() {
		defer close(done)
		_ = ag.guard(name, "", func() error { fn(); return nil })
	}) {
		ag.log.Error("callback not called: the last call of it still runs", "callback", name)
		close(done)
	}
	return done
}

// send puts a reply into the outbox: a small one before bulk. It waits while the outbox is full, beyond the end of the
// handler's context, because what ran to its end while the agent stops is to be answered as well.
func (ag *Agent) send(frame []byte) error {
	l := conn.Bulk
	if len(frame) <= maxControlReply {
		l = conn.Control
	}
	return ag.put(context.Background(), l, frame, ag.replies.Done(), ErrStopping)
}

// put puts a frame into the outbox. It waits until ctx is done, the agent has ended, or the given channel is closed, which
// gives the given error.
func (ag *Agent) put(ctx context.Context, l conn.Lane, frame []byte, closed <-chan struct{}, why error) error {
	if len(frame) > maxFrame {
		return fmt.Errorf("%w: %d bytes of %d", ErrTooBig, len(frame), maxFrame)
	}
	if ag.life.Err() != nil {
		return ErrStopping
	}
	switch ag.out.memory.put(l, &waiter{reply: frame}, ctx.Done(), ag.life.Done(), closed) {
	case 0:
		return context.Cause(ctx)
	case 1:
		return ErrStopping
	case 2:
		return why
	}
	return nil
}

// errorFrame is the frame of an error of a task.
func errorFrame(task string, err error) []byte {
	return wire.AppendError(nil, task, clip(err.Error(), maxErrorText))
}

// refuse answers a task with an error; what belongs to no task is not answered. It does not wait: it is called by the
// goroutine that receives.
func (ag *Agent) refuse(task string, err error) {
	if task != "" && !ag.out.memory.tryPut(conn.Control, errorFrame(task, err)) {
		ag.noise.warn(ag.log, "answer dropped: outbox is full", slog.String("task", task))
	}
}

// ignored notes a frame that nobody handles.
func (ag *Agent) ignored(f *wire.Frame) {
	if f.Type == 0 {
		ag.noise.warn(ag.log, "server reports an error", slog.String("task", f.Task), slog.String("error", clip(f.Error, maxPeerText)))
		return
	}
	ag.noise.log(ag.log, slog.LevelDebug, "message ignored", slog.Int("type", int(f.Type)), slog.String("task", f.Task))
}
