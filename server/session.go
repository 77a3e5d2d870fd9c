package server

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// session is one agent that shakes hands or has shaken hands. One goroutine receives; everything else is called from any.
// There are very many of them: what not every one needs is made when it is needed.
type session struct {
	agent Agent // as it came; immutable
	peer  peer  // what its certificate says; immutable
	conn  *conn.Conn

	lifetime lifetime
	calls    calls
	greeting atomic.Pointer[chan struct{}] // closed when the answer to come has been sent, nil from then on
	sending  atomic.Int32                  // sends under way
	report   atomic.Pointer[report]
	inbox    *inbox // of the journal; guarded by journal.mu, nil until the agent opens a stream
	acks     bool   // both ends have announced that the journal acknowledges; immutable
	probing  bool   // somebody asks whether this session is alive; guarded by registry.mu
}

// report is the last monitor report of an agent.
type report struct {
	wire.AgentInfoPayload
	at time.Time
}

// newSession makes the session of an agent that has introduced itself with this message. The result is the label for a message
// that cannot be read.
func newSession(c *conn.Conn, p peer, come *wire.Frame) (s *session, result string, err error) {
	s = &session{peer: p, conn: c}
	if s.agent.ComePayload, err = wire.Come.Decode(come); err != nil {
		return nil, "bad_come", fmt.Errorf("first message: %w", err)
	}
	s.agent.Remote, s.agent.Connected = c.RemoteAddr().String(), time.Now()
	s.agent.Authenticated, s.agent.Secure = p.identity != nil, p.secure
	greeting := make(chan struct{})
	s.greeting.Store(&greeting)
	return s, "", nil
}

// greeted lets through what is sent to the agent from now on.
func (s *session) greeted() {
	if g := s.greeting.Swap(nil); g != nil {
		close(*g)
	}
}

// end finishes everything that waits for the agent, because its connection has ended.
func (s *session) end() {
	s.lifetime.end()
	s.calls.end()
	s.greeted()
}

// snapshot returns the agent as it is now.
func (s *session) snapshot() Agent {
	a := s.agent
	a.Busy = s.sending.Load() > 0
	return a
}

// send sends one frame. The agent's handshake goes before it.
func (s *session) send(ctx context.Context, frame []byte) error {
	if g := s.greeting.Load(); g != nil {
		select {
		case <-*g:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.sending.Add(1)
	defer s.sending.Add(-1)
	if err := s.conn.Send(ctx, conn.Control, frame); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return ErrGone // the receiving goroutine learns why
	}
	return nil
}

// lifetime is the context of a session, which is made when somebody asks for it.
type lifetime struct {
	mu     sync.Mutex // guards the fields below
	ctx    context.Context
	cancel context.CancelFunc
	ended  bool
}

// context returns a context that ends with the session, or with its parent.
func (l *lifetime) context(parent context.Context) context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx == nil {
		l.ctx, l.cancel = context.WithCancel(parent)
		if l.ended {
			l.cancel()
		}
	}
	return l.ctx
}

func (l *lifetime) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.cancel != nil {
		l.cancel()
	}
}
