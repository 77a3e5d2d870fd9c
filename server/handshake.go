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
		s.noise.say("agent refused", slog.String("remote", c.RemoteAddr().String()), slog.String("why", err.Error()))
		c.Close(conn.CodePolicy, err.Error())
		s.sessions.carried(c.Stats())
		s.conns.remove(c)
		return nil
	}
	c.SetLimits(messageLimit, idleLimit)
	s.traffic.say("agent came", slog.String("id", sess.agent.ID), slog.String("type", sess.agent.Name),
		slog.String("version", sess.agent.Version), slog.String("remote", sess.agent.Remote))
	return sess
}

// shakeHands waits for the first message and answers it. The result is the label under which it is counted.
func (s *Server) shakeHands(c *conn.Conn, p peer) (sess *session, result string, err error) {
	come, result, err := receiveCome(c)
	if err != nil {
		if result != "lost" {
			s.turnAway(c, err)
		}
		return nil, result, err
	}
	now := time.Now()
	crash := come.Crash
	come.Crash = nil // the session keeps the rest
	result, err = s.identify(&come, p, now)
	if err != nil {
		s.turnedAway(c.RemoteAddr().String(), p, come.ID, err)
		s.turnAway(c, err)
		return nil, result, err
	}
	sess = newSession(c, p, come, now)
	answer := wire.HandshakePayload{OK: true, ID: come.ID}
	if come.Ack >= wire.AckVersion && s.journal.running.Load() {
		sess.acks, answer.Ack = true, wire.AckVersion
	}
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
	if err := s.answer(c, answer); err != nil {
		s.forget(sess)
		return nil, "lost", err
	}
	sess.greeted()
	if crash != nil {
		s.noise.say("agent had crashed", slog.String("id", come.ID), slog.Time("at", crash.At), slog.String("text", crash.Text))
		s.metrics.crashes.Inc()
	}
	return sess, result, nil
}

// receiveCome waits for an agent to introduce itself.
func receiveCome(c *conn.Conn) (p wire.ComePayload, result string, err error) {
	f, err := c.Receive()
	if err != nil && isFrameError(err) {
		return p, "bad_frame", fmt.Errorf("first message: %w", err)
	}
	if err != nil {
		return p, "lost", err
	}
	if f.Type != wire.Come.Type() {
		return p, "no_come", fmt.Errorf("first message must be come (type %d), not type %d", wire.Come.Type(), f.Type)
	}
	if p, err = wire.Come.Decode(f); err != nil {
		return p, "bad_come", fmt.Errorf("first message: %w", err)
	}
	return p, "", nil
}

// answer sends the answer to come.
func (s *Server) answer(c *conn.Conn, p wire.HandshakePayload) error {
	b, err := wire.Handshake.Append(nil, "", &p)
	if err != nil {
		return err
	}
	return c.Send(s.ctx, conn.Control, b)
}

// turnAway says why there is no session. Whether the client hears it or not, it is gone.
func (s *Server) turnAway(c *conn.Conn, why error) {
	_ = s.answer(c, wire.HandshakePayload{Msg: why.Error()})
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
