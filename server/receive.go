package server

import (
	"context"
	"log/slog"
	"maps"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// handler gets a frame that nobody asked for. A payload that cannot be read is its first result, a failure of its own
// the second.
type handler func(*session, *wire.Frame) (bad, failed error)

// handlers are the receivers by type. They may be added at any time, and are read without a lock.
type handlers struct {
	mu     sync.Mutex // held by whoever adds
	byType atomic.Pointer[map[wire.Type][]handler]
}

func (h *handlers) add(t wire.Type, f handler) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := make(map[wire.Type][]handler)
	if old := h.byType.Load(); old != nil {
		maps.Copy(m, *old)
	}
	m[t] = append(m[t][:len(m[t]):len(m[t])], f)
	h.byType.Store(&m)
}

func (h *handlers) of(t wire.Type) []handler {
	if m := h.byType.Load(); m != nil {
		return (*m)[t]
	}
	return nil
}

// Receiver is what messages can be received with: a [*Server], or the [*Host] of a feature.
type Receiver interface{ receiver() *Server }

// receiver implements [Receiver].
func (s *Server) receiver() *Server { return s }

// Receive has a function called for each message of this kind that agents send, except for the answers to calls. Several
// functions for one kind are called in the order in which they were given. Messages that came before are not seen, so
// call it before [Server.Run].
//
// The function runs on the agent's own goroutine: while it does, nothing else of this agent is received, so it should
// hand on what takes long; for several agents it runs at the same time. Its context ends with the agent's connection.
// The payload is its own. An error is logged, and so is a panic, with its stack.
//
// A message that the agent keeps until the journal has it (see [Consume]) is given to the function before that: it comes
// again if the server ends in between. Who must not miss one, or must tell whether it comes again, reads the journal.
func Receive[T any](r Receiver, m *wire.Message[T], f func(ctx context.Context, a Agent, v T) error) {
	s := r.receiver()
	s.handlers.add(m.Type(), func(sess *session, frame *wire.Frame) (bad, failed error) {
		v, err := m.Decode(frame)
		if err != nil {
			return err, nil
		}
		return nil, f(sess.lifetime.context(s.ctx), sess.snapshot(), v)
	})
}

// dispatch hands a frame to whoever waits for it.
func (s *Server) dispatch(sess *session, f *wire.Frame) {
	if s.receiveOutbox(sess, f) {
		return
	}
	if f.Task != "" {
		if c := sess.calls.get(f.Task); c != nil {
			if c.accept(f) {
				sess.calls.remove(f.Task)
			}
			return
		}
		if s.lasting.accept(sess.agent.ID, f) {
			return
		}
	}
	if f.Type == wire.Come.Type() {
		s.metrics.badFrames.WithLabelValues("second_come").Inc()
		s.noise.say("agent came twice", slog.String("id", sess.agent.ID))
		return
	}
	list := s.handlers.of(f.Type)
	s.handleAll(sess, f, list)
	wanted := f.Task == "" && s.journal.wants(f.Type)
	if wanted {
		s.journal.addPlain(sess.agent.ID, f)
	}
	if len(list) == 0 && !wanted {
		s.drop(sess, f)
	}
}

// handleAll calls the functions for a message.
func (s *Server) handleAll(sess *session, f *wire.Frame, list []handler) {
	for _, h := range list {
		bad, failed := s.handle(h, sess, f)
		if bad != nil {
			s.badFrame(sess, bad)
		}
		if failed != nil {
			s.handlerFailed(sess, f.Type, failed)
		}
	}
}

// handle calls a handler and catches its panic.
func (s *Server) handle(h handler, sess *session, f *wire.Frame) (bad, failed error) {
	defer func() {
		if v := recover(); v != nil {
			failed = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return h(sess, f)
}

// drop counts a frame that nobody wants.
func (s *Server) drop(sess *session, f *wire.Frame) {
	s.metrics.dropped.WithLabelValues(typeLabel(f.Type)).Inc()
	switch {
	case f.Task != "":
		s.metrics.late.Inc() // a call that has timed out, or one of another server's life
	case f.Type == wire.ErrorType:
		s.noise.say("agent reports an error", slog.String("id", sess.agent.ID), slog.String("err", clip(f.Error, maxErrorText)))
	}
}

// badFrame counts what is no frame, or has a payload that its type is not due to carry.
func (s *Server) badFrame(sess *session, err error) {
	s.metrics.badFrames.WithLabelValues(badLabel(err)).Inc()
	s.noise.say("agent sent a bad frame", slog.String("id", sess.agent.ID), slog.String("err", clip(err.Error(), maxErrorText)))
}

// handlerFailed logs an error or a panic of a function given to Receive.
func (s *Server) handlerFailed(sess *session, t wire.Type, err error) {
	attrs := []slog.Attr{slog.String("id", sess.agent.ID), slog.Int("type", int(t)), slog.String("err", err.Error())}
	kind := "error"
	if p, ok := err.(*PanicError); ok {
		kind = "panic"
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	s.metrics.failures.WithLabelValues(kind).Inc()
	s.faults.say("handler failed", attrs...)
}

// keepReport remembers the monitor report of an agent for the metrics.
func keepReport(sess *session, f *wire.Frame) (bad, failed error) {
	p, err := wire.AgentInfo.Decode(f)
	if err != nil {
		return err, nil
	}
	p.Version, p.GoVersion = clip(p.Version, wire.MaxID), clip(p.GoVersion, wire.MaxID)
	sess.report.Store(&report{AgentInfoPayload: p, at: time.Now()})
	return nil, nil
}
