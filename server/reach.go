package server

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

var _ Fleet = (*Server)(nil)

// maxKeptFrame is the largest buffer that is kept for the next request.
const maxKeptFrame = 64 << 10

// encoded calls use with a frame in a borrowed buffer.
func (s *Server) encoded(encode Encode, task string, use func(frame []byte) error) error {
	buf, _ := s.frames.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	b, err := encode((*buf)[:0], task)
	if err == nil {
		err = use(b)
	}
	if cap(b) <= maxKeptFrame {
		*buf = b
		s.frames.Put(buf)
	}
	return err
}

// List implements [Fleet].
func (s *Server) List(ctx context.Context, f Filter) ([]Agent, error) {
	return s.sessions.list(f, scope(ctx)), nil
}

// reach returns the session of an agent that may be seen in a context, nil if there is none.
func (s *Server) reach(ctx context.Context, id string) *session {
	sess := s.sessions.get(id)
	if sees := scope(ctx); sess != nil && sees != nil && !sees(&sess.agent) {
		return nil
	}
	return sess
}

// Get implements [Fleet].
func (s *Server) Get(ctx context.Context, id string) (Agent, error) {
	sess := s.reach(ctx, id)
	if sess == nil {
		return Agent{}, ErrNotFound
	}
	return sess.snapshot(), nil
}

// Call implements [Fleet].
func (s *Server) Call(ctx context.Context, id string, encode Encode, take func(*wire.Frame) (last bool, err error)) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.API.Timeout)
		defer cancel()
	}
	start := time.Now()
	err := s.callAgent(ctx, id, encode, take)
	s.metrics.calls.WithLabelValues(callLabel(err)).Observe(time.Since(start).Seconds())
	if p := (*PanicError)(nil); errors.As(err, &p) {
		s.faults.say("decoding an answer panicked", slog.String("id", id), slog.Any("panic", p.Value), slog.String("stack", string(p.Stack)))
	}
	return err
}

func (s *Server) callAgent(ctx context.Context, id string, encode Encode, take func(*wire.Frame) (last bool, err error)) error {
	sess := s.reach(ctx, id)
	if sess == nil {
		return ErrNotFound
	}
	task := s.tasks.next(time.Now())
	c := &call{take: take, done: make(chan struct{})}
	if !sess.calls.add(task, c) {
		return ErrGone
	}
	var o *order
	err := s.encoded(encode, task, func(frame []byte) (err error) {
		o, err = s.deliver(ctx, sess, task, frame)
		return err
	})
	if err == nil {
		select {
		case <-c.done:
			o.ended(c.err)
			return c.err
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-s.requestsCtx.Done():
			err = ErrStopped
		}
	}
	sess.calls.remove(task)
	err = c.end(err)
	o.ended(err)
	return err
}

// Begin implements [Fleet].
func (s *Server) Begin(ctx context.Context, id string, encode Encode, take func(*wire.Frame) (last bool)) (func(), error) {
	sess := s.reach(ctx, id)
	if sess == nil {
		return nil, ErrNotFound
	}
	task := s.tasks.next(time.Now())
	var o atomic.Pointer[order]
	end := s.lasting.add(task, id, func(f *wire.Frame) bool {
		last := take(f)
		if last {
			o.Load().answered(f)
		}
		return last
	}, s.takePanicked)
	err := s.encoded(encode, task, func(frame []byte) error {
		written, err := s.record(ctx, sess, task, frame)
		if err != nil {
			return err
		}
		o.Store(written) // before the answer can come
		if err := sess.send(ctx, frame); err != nil {
			written.ended(err)
			return err
		}
		return nil
	})
	if err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// takePanicked tells of a function that takes answers.
func (s *Server) takePanicked(id string, p *PanicError) {
	s.faults.say("taking an answer panicked", slog.String("id", id), slog.Any("panic", p.Value), slog.String("stack", string(p.Stack)))
}

// Send implements [Fleet].
func (s *Server) Send(ctx context.Context, id string, encode Encode) error {
	sess := s.reach(ctx, id)
	if sess == nil {
		return ErrNotFound
	}
	task := s.tasks.next(time.Now())
	return s.encoded(encode, task, func(frame []byte) error {
		o, err := s.deliver(ctx, sess, task, frame)
		if err == nil {
			o.ended(nil)
		}
		return err
	})
}
