package server

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// forget frees the id of a session, and ends everything that waits for its agent.
func (s *Server) forget(sess *session) {
	s.sessions.release(sess)
	s.journal.leave(sess)
	sess.end()
}

// welcome shakes hands. It returns nil, and the connection is closed, if that fails.
func (s *Server) welcome(c *conn.Conn, p peer) *session {
	limit, ok := s.conns.add(c)
	if !ok {
		c.Close(conn.CodeGoingAway, ErrStopped.Error())
		return nil
	}
	defer s.conns.shaken()
	// The time limit is absolute: one byte now and then must not hold a place for ever.
	expired := make(chan struct{})
	timer := time.AfterFunc(limit, func() {
		defer close(expired)
		c.Close(conn.CodePolicy, "no handshake")
	})
	sess, result, err := s.shakeHands(c, p)
	if !timer.Stop() {
		<-expired
		if sess != nil {
			s.forget(sess)
			sess = nil
		}
		result, err = "timeout", fmt.Errorf("no handshake within %v", limit)
	}
	s.metrics.handshakes.WithLabelValues(result).Inc()
	if sess == nil {
		s.logRefused(c, err)
		c.Close(conn.CodePolicy, err.Error())
		s.sessions.carried(c.Stats())
		s.conns.remove(c)
		return nil
	}
	c.SetLimits(messageLimit, idleLimit)
	s.logCame(sess)
	return sess
}

// logRefused and logCame are functions of their own for the sake of the stack: a goroutine that waits for a first message has
// not the attributes of a line on it.
func (s *Server) logRefused(c *conn.Conn, why error) {
	s.noise.say("agent refused", slog.String("remote", c.RemoteAddr().String()), slog.String("why", why.Error()))
}

func (s *Server) logCame(sess *session) {
	s.traffic.say("agent came", slog.String("id", sess.agent.ID), slog.String("type", sess.agent.Name),
		slog.String("version", sess.agent.Version), slog.String("remote", sess.agent.Remote))
}

// shakeHands waits for the first message and answers it. The result is the label under which it is counted.
func (s *Server) shakeHands(c *conn.Conn, p peer) (sess *session, result string, err error) {
	f, result, err := receiveCome(c)
	if err == nil {
		sess, result, err = newSession(c, p, f)
	}
	if err != nil {
		if result != "lost" {
			s.turnAway(c, err)
		}
		return nil, result, err
	}
	come := &sess.agent.ComePayload
	crash := come.Crash
	come.Crash = nil // the session keeps the rest
	result, err = s.identify(come, p, sess.agent.Connected)
	if err != nil {
		s.turnedAway(sess.agent.Remote, p, come.ID, err)
		s.turnAway(c, err)
		return nil, result, err
	}
	sess.acks = come.Ack >= wire.AckVersion && s.journal.running.Load()
	old, err := s.sessions.claim(s.ctx, sess)
	if err != nil {
		if !errors.Is(err, errConflict) {
			s.turnAway(c, err)
			return nil, "draining", err
		}
		s.turnedAway(sess.agent.Remote, p, come.ID, err)
		s.turnAway(c, err)
		return nil, "conflict", fmt.Errorf("%w: %q", err, come.ID)
	}
	if old != nil {
		result = "takeover"
		s.tookOver(old, sess)
		s.evict(old)
	}
	if err := s.stillEnrolled(sess); err != nil {
		s.turnAway(c, err)
		s.forget(sess)
		return nil, "revoked", err
	}
	if err := s.accept(sess); err != nil {
		s.forget(sess)
		return nil, "lost", err
	}
	sess.greeted()
	if crash != nil {
		s.noteCrash(sess, crash)
	}
	return sess, result, nil
}

// noteCrash tells that the run of an agent before this one has crashed.
func (s *Server) noteCrash(sess *session, crash *wire.Crash) {
	s.noise.say("agent had crashed", slog.String("id", sess.agent.ID), slog.Time("at", crash.At), slog.String("text", crash.Text))
	s.metrics.crashes.Inc()
}

// receiveCome waits for the message with which an agent introduces itself.
func receiveCome(c *conn.Conn) (f *wire.Frame, result string, err error) {
	f, err = c.Receive()
	switch {
	case err != nil && isFrameError(err):
		return nil, "bad_frame", fmt.Errorf("first message: %w", err)
	case err != nil:
		return nil, "lost", err
	case f.Type != wire.Come.Type():
		return nil, "no_come", fmt.Errorf("first message must be come (type %d), not type %d", wire.Come.Type(), f.Type)
	}
	return f, "", nil
}

// accept tells an agent that it is welcome.
func (s *Server) accept(sess *session) error {
	answer := wire.HandshakePayload{OK: true, ID: sess.agent.ID}
	if sess.acks {
		answer.Ack = wire.AckVersion
	}
	return s.answer(sess.conn, &answer)
}

// answer sends the answer to come.
func (s *Server) answer(c *conn.Conn, p *wire.HandshakePayload) error {
	b, err := wire.Handshake.Append(nil, "", p)
	if err != nil {
		return err
	}
	return c.Send(s.ctx, conn.Control, b)
}

// turnAway says why there is no session. Whether the client hears it or not, it is gone.
func (s *Server) turnAway(c *conn.Conn, why error) {
	_ = s.answer(c, &wire.HandshakePayload{Msg: why.Error()})
}

// evict closes a session that has lost its id. Its own goroutine does the rest.
func (s *Server) evict(old *session) {
	s.noise.say("agent replaced, its connection was silent", slog.String("id", old.agent.ID),
		slog.String("remote", old.agent.Remote), slog.Time("heard", old.conn.LastRead()))
	old.end()
	if s.agents.enter() {
		s.agents.finish(func() { old.conn.Close(conn.CodePolicy, errConflict.Error()) })
	}
}
