package server

import (
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// freshPerSecond is how many messages of an agent in a second are each waited for by a goroutine of its own.
const freshPerSecond = 100

// serveAgent is the life of a connection. At its end it leaves s.agents, which counts it.
func (s *Server) serveAgent(c *conn.Conn, p peer) {
	sess := s.welcome(c, p)
	if sess == nil {
		s.agents.leave()
		return
	}
	go s.await(sess, time.Now(), 0)
}

// await waits for a message of an agent. A goroutine keeps the stack that its deepest call needed, and a message needs
// several times of what waiting needs: so those that wait do nothing else, and one that handles messages ends.
func (s *Server) await(sess *session, since time.Time, n int) {
	sess.conn.Await()
	go s.attend(sess, since, n)
}

// attend handles the messages of an agent, and has another goroutine wait for more when one is done, unless so many come
// that this would cost more than it saves: n have come since the given time. It clears up after the last one.
func (s *Server) attend(sess *session, since time.Time, n int) {
	for {
		if err := s.attendOne(sess); err != nil {
			s.farewell(sess, err)
			return
		}
		if n++; n > freshPerSecond {
			now := time.Now()
			if now.Sub(since) < time.Second {
				continue
			}
			since, n = now, 0
		}
		go s.await(sess, since, n)
		return
	}
}

// attendOne handles one message, and returns why there will be no more. Whatever a message makes our own code do wrong
// costs its sender the connection, and nobody else anything.
func (s *Server) attendOne(sess *session) (ended error) {
	defer func() {
		if v := recover(); v != nil {
			p := &PanicError{Value: v, Stack: debug.Stack()}
			s.log.Error("message panicked", "id", sess.agent.ID, "panic", p.Error(), "stack", string(p.Stack))
			ended = p
		}
	}()
	f, err := sess.conn.Poll()
	switch {
	case f == nil && err == nil: // a heartbeat
	case err == nil:
		s.dispatch(sess, f)
	case isFrameError(err):
		s.badFrame(sess, err)
	default:
		return err
	}
	return nil
}

// farewell ends a session whose connection has ended.
func (s *Server) farewell(sess *session, why error) {
	defer s.agents.leave()
	s.metrics.ended.WithLabelValues(endLabel(why)).Inc()
	s.forget(sess) // first: the agent may be on its way back already
	s.traffic.say("agent left", slog.String("id", sess.agent.ID), slog.String("remote", sess.agent.Remote), slog.String("why", why.Error()))
	if errors.Is(why, io.ErrUnexpectedEOF) {
		sess.conn.Drop()
	} else {
		sess.conn.Close(conn.CodeNormal, "")
	}
	s.conns.remove(sess.conn)
}

// isFrameError reports whether the connection can go on.
func isFrameError(err error) bool {
	bad := (*conn.FrameError)(nil)
	return errors.As(err, &bad)
}
