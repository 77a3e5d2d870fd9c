package agenttest

import (
	"fmt"
	"net/http"

	"github.com/jkstack/jkframe/v2/wire"
)

// Shake decides what agents are answered that come from now on. It may be called by several goroutines at once; with nil
// the server takes every agent again.
func (s *Server) Shake(answer func(*Session) wire.HandshakePayload) {
	s.state.change(func() { s.shake = answer })
}

// Refuse has the server refuse every agent that comes from now on, saying why; "agent id conflict" is what servers say of
// an id that is taken.
func (s *Server) Refuse(why string) {
	s.Shake(func(*Session) wire.HandshakePayload { return wire.HandshakePayload{Msg: why} })
}

// Redirect has the server send every agent that comes from now on to another address, and take those that come to that.
func (s *Server) Redirect(to string) {
	s.Shake(func(session *Session) wire.HandshakePayload {
		if session.Host() == to {
			return s.welcome(session)
		}
		return wire.HandshakePayload{Redirect: []string{to}}
	})
}

// Respond answers all that agents ask for by HTTP from now on, in place of their upgrade to a WebSocket: a proxy that is
// in the way, a server that has no room. With nil the server is itself again.
func (s *Server) Respond(h http.Handler) { s.state.change(func() { s.answer = h }) }

// welcome takes an agent, with the id that it has or a new one.
func (s *Server) welcome(session *Session) wire.HandshakePayload {
	h := wire.HandshakePayload{OK: true, ID: session.come.ID}
	if !s.opt.Old && session.come.Ack == wire.AckVersion {
		h.Ack = wire.AckVersion
	}
	if h.ID == "" {
		s.state.change(func() {
			s.assigned++
			h.ID = fmt.Sprintf("agent-%d", s.assigned)
		})
	}
	return h
}
