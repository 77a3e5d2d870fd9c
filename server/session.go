package server

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// session is one agent that has shaken hands. One goroutine receives; everything else is called from any.
type session struct {
	agent Agent // as it came; immutable
	conn  *conn.Conn

	ctx    context.Context // ends with the session
	cancel context.CancelFunc

	greeted chan struct{} // closed when the answer to come has been sent: nothing may be sent before
	probing bool          // somebody asks whether this session is alive; guarded by registry.mu

	calls   calls
	sending atomic.Int32 // sends under way
	report  atomic.Pointer[report]
}

// report is the last monitor report of an agent.
type report struct {
	wire.AgentInfoPayload
	at time.Time
}

// snapshot returns the agent as it is now.
func (s *session) snapshot() Agent {
	a := s.agent
	a.Busy = s.sending.Load() > 0
	return a
}

// send sends one frame, once the agent has been greeted.
func (s *session) send(ctx context.Context, frame []byte) error {
	select {
	case <-s.greeted:
	case <-s.ctx.Done():
		return ErrGone
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	s.sending.Add(1)
	defer s.sending.Add(-1)
	if err := s.conn.Send(ctx, conn.Control, frame); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return ErrGone // the connection is broken, and the receiving goroutine says why
	}
	return nil
}

// receive hands frames on until the connection ends, and says why it did.
func (s *session) receive(handle func(*session, *wire.Frame), bad func(*session, error)) error {
	for {
		f, err := s.conn.Receive()
		if err == nil {
			handle(s, f)
			continue
		}
		if fe := (*conn.FrameError)(nil); !errors.As(err, &fe) {
			return err
		}
		bad(s, err)
	}
}
