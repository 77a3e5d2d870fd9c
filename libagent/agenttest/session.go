package agenttest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// maxKept is how many messages of an agent a session keeps that nobody has waited for. Then the oldest are let go.
const maxKept = 10_000

// Session is one connection of an agent. Its methods may be called at any time.
type Session struct {
	server *Server
	conn   *conn.Conn
	end    *accepted
	host   string
	come   wire.ComePayload

	streams map[uint64]streamID // that the agent has opened; nil when nothing is acknowledged

	state watched // guards what follows
	kept  []*wire.Frame
	lost  int   // messages that were let go
	tasks int   // ids that were given
	why   error // the connection has ended
}

// serve makes a session of a connection that was upgraded, until that ends.
func (s *Server) serve(session *Session) {
	err := session.shakeHands()
	if err == nil {
		s.state.change(func() { s.sessions = append(s.sessions, session) })
		err = session.receive()
	}
	session.state.change(func() { session.why = err })
	s.state.change(func() {
		for i, other := range s.sessions {
			if other == session {
				s.sessions = append(s.sessions[:i:i], s.sessions[i+1:]...)
				break
			}
		}
	})
	session.goodbye(conn.CodeNormal, "")
}

// errNotTaken ends a connection whose agent was refused or sent away.
var errNotTaken = errors.New("the agent was not taken")

// shakeHands reads who the agent is and answers.
func (s *Session) shakeHands() error {
	f, err := s.conn.Receive()
	if err != nil {
		return err
	}
	if s.come, err = wire.Come.Decode(f); err != nil {
		return err
	}
	var answer func(*Session) wire.HandshakePayload
	s.server.state.look(func() { answer = s.server.shake })
	if answer == nil {
		answer = s.server.welcome
	}
	h := answer(s)
	b, err := wire.Handshake.Append(nil, "", &h)
	if err != nil {
		return err
	}
	if err := s.conn.Send(context.Background(), conn.Control, b); err != nil {
		return err
	}
	if !h.OK {
		return errNotTaken
	}
	if h.Ack == wire.AckVersion {
		s.streams = make(map[uint64]streamID)
	}
	return nil
}

// receive keeps what the agent sends, until the connection ends.
func (s *Session) receive() error {
	for {
		f, err := s.conn.Receive()
		var bad *conn.FrameError
		switch {
		case errors.As(err, &bad):
			return fmt.Errorf("the agent sent what is no message: %w", err)
		case err != nil:
			return err
		}
		f, err = s.noted(f)
		if err != nil {
			return fmt.Errorf("what the agent sent is against the protocol: %w", err)
		}
		if f != nil {
			s.keep(f.Clone())
		}
	}
}

// keep keeps a message until somebody waits for it.
func (s *Session) keep(f *wire.Frame) {
	s.state.change(func() {
		if len(s.kept) == maxKept {
			s.kept[0] = nil
			s.kept = s.kept[1:]
			s.lost++
		}
		s.kept = append(s.kept, f)
	})
}

// Come returns what the agent has said of itself and its host.
func (s *Session) Come() wire.ComePayload { return s.come }

// Host returns the address by which the agent came, host:port.
func (s *Session) Host() string { return s.host }

// Drop ends the connection without a goodbye, as a server does that is killed.
func (s *Session) Drop() {
	_ = s.end.Close()
	_ = s.Done() // the test knows why
}

// Close ends the connection as a server does that stops: with a goodbye, if it is not an old one.
func (s *Session) Close(reason string) { s.goodbye(conn.CodeGoingAway, reason) }

// Freeze cuts this connection as [Server.Freeze] does all of them.
func (s *Session) Freeze(frozen bool) { s.end.freeze(frozen) }

// Done waits until the connection has ended, and returns why.
func (s *Session) Done() (why error) {
	s.server.tb.Helper()
	s.await("the end of the connection", func() bool {
		why = s.why
		return why != nil
	})
	return why
}

// Connected tells whether the connection stands, as far as the server knows.
func (s *Session) Connected() (connected bool) {
	s.state.look(func() { connected = s.why == nil })
	return connected
}

// goodbye ends the connection in the manner of the server.
func (s *Session) goodbye(code int, reason string) {
	if s.server.opt.Old {
		_ = s.end.Close()
	}
	s.conn.Close(code, reason)
}

// await waits for something of the state, and fails the test if it does not come.
func (s *Session) await(what string, ready func() bool) {
	s.server.tb.Helper()
	until := time.Now().Add(s.server.opt.Patience)
	if s.state.await(ready, func() time.Time { return until }) {
		return
	}
	var have string
	s.state.look(func() { have = s.held() })
	s.server.tb.Fatalf("waited %v for %s%s", s.server.opt.Patience, what, have)
}

// held says what came that nobody has waited for. The caller holds the state.
func (s *Session) held() string {
	const most = 20
	var b strings.Builder
	for i, f := range s.kept {
		if i == most {
			fmt.Fprintf(&b, "\n  and %d more", len(s.kept)-most)
			break
		}
		fmt.Fprintf(&b, "\n  there is %.300q", f.Bytes())
	}
	if s.lost > 0 {
		fmt.Fprintf(&b, "\n  and %d were let go, because nobody waited for them", s.lost)
	}
	return b.String()
}
