package libagent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Task is a request that is answered with any number of messages, of several types. It may be used by several goroutines,
// and after its handler has returned, until Close.
type Task struct {
	ag    *Agent
	id    string
	name  string
	came  time.Time
	turns *turns // that it has one of, nil for a task that was resumed
	ctx   context.Context
	end   context.CancelFunc

	once   sync.Once
	closed chan struct{}
}

// HandleStream registers the handler of a request with many replies, which are sent with [Reply]. The handler runs as one
// of [Handle] does; ctx ends when the task is closed or the agent stops. An error is answered as an error and closes the
// task; otherwise whoever has the task closes it, or it counts as running for ever: against [AtOnce], and when the agent
// stops.
//
// To be called in Setup.
func HandleStream[Q any](ag *Agent, m *wire.Message[Q], fn func(ctx context.Context, t *Task, q Q) error, opts ...HandleOption) {
	register(ag, m, true, opts, func(ctx context.Context, task string, came time.Time, q Q) error {
		turns := &ag.handlers[m.Type()].turns
		t, err := ag.newTask(ctx, task, m.Name(), came)
		if err != nil {
			turns.leave()
			return err
		}
		t.turns = turns
		done := false
		defer func() {
			if !done { // an error or a panic
				t.Close()
			}
		}()
		if err := fn(t.ctx, t, q); err != nil {
			return err
		}
		done = true
		return nil
	})
}

// ID returns the id that the server has given the task.
func (t *Task) ID() string { return t.id }

// Came returns when the request had come; its handler may have waited for its turn since. Of a task that was resumed it is when that was.
func (t *Task) Came() time.Time { return t.came }

// Close ends the task; nothing can be sent for it any more. It may be called more than once.
func (t *Task) Close() {
	t.once.Do(func() {
		close(t.closed)
		t.end()
		if t.turns != nil {
			t.turns.leave()
		}
		t.ag.work.release(t.name)
	})
}

// Reply sends a message that belongs to the task. Messages of a task arrive in the order of their sending. It waits while
// too much is waiting to be sent, because the server is slow or away. [ErrClosed] means that the task was closed,
// [ErrStopping] that the agent has no time left.
func Reply[T any](t *Task, m *wire.Message[T], v T) error {
	if err := checkNumber(m.Type(), m.Name()); err != nil {
		return err
	}
	b, err := m.Append(nil, t.id, &v)
	if err != nil {
		return err
	}
	select {
	case <-t.closed:
		return ErrClosed
	default:
	}
	err = t.ag.put(t.ag.replies, conn.Bulk, b, t.closed, ErrClosed)
	if errors.Is(err, context.Canceled) {
		return ErrStopping
	}
	return err
}

// Emit sends a message that nobody asked for, as its declaration says.
//
// A message without [wire.Newest] and [wire.Connected] is kept, in order with the others, until the server has it in its journal,
// or until it is written to a server without one. Emit returns when it is in the outbox: with outbox.dir it is sent then even if the
// process is killed next. While the outbox is full Emit waits until ctx is done or the agent stops; so it does for ever in Setup,
// because the agent has not connected yet. An error means that the message is not kept; [ErrTooBig] that it never can be, because
// it has 16 MiB or is larger than the folder may be.
//
// Of a message with wire.Newest only the latest waits, in memory. One with wire.Connected goes out at once, in the time that the
// server takes for it, or gives [ErrNotConnected].
func Emit[T any](ctx context.Context, ag *Agent, m *wire.Message[T], v T) error {
	if err := checkNumber(m.Type(), m.Name()); err != nil {
		return err
	}
	b, err := m.Append(make([]byte, messageHead, 256), "", &v)
	if err != nil {
		return err
	}
	l := laneOf(m.Has(wire.Urgent))
	switch {
	case len(b)-messageHead > maxEmit:
		return fmt.Errorf("%w: %d bytes of %d", ErrTooBig, len(b)-messageHead, maxEmit)
	case ag.life.Err() != nil:
		return ErrStopping
	case m.Has(wire.Newest):
		ag.out.newest.put(m.Type(), l, message(b).frame())
		return nil
	case m.Has(wire.Connected):
		return ag.sendNow(ctx, l, message(b).frame())
	}
	return ag.keep(ctx, l, b)
}

// keep puts a message into the outbox.
func (ag *Agent) keep(ctx context.Context, l conn.Lane, m message) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ag.life, func() { cancel(ErrStopping) })()
	return ag.out.emit(ctx, l, m)
}

// sendNow sends a frame over the connection that there is.
func (ag *Agent) sendNow(ctx context.Context, l conn.Lane, frame []byte) error {
	ag.mu.Lock()
	c := ag.conn
	ag.mu.Unlock()
	if c == nil {
		return ErrNotConnected
	}
	if err := c.Send(ctx, l, frame); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", ErrNotConnected, err)
	}
	return nil
}
