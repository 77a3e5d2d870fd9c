package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/internal/pki"
	"github.com/jkstack/jkframe/v2/server/internal/roster"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Values of agents.auth.
const (
	authOpen     = "open"     // agents without a certificate are admitted
	authEnrolled = "enrolled" // only those that are enrolled are
)

// peer is the other end of a connection to /ws/agent.
type peer struct {
	identity *pki.Identity // of an enrolled agent, nil for one that showed no certificate
	serial   string        // of its certificate
	secure   bool          // nobody between can read what is said
}

// Why a connection is refused before the handshake.
var (
	errUnenrolled = errors.New("this server takes only agents that are enrolled")
	errWrongID    = errors.New("the certificate is for another agent id")
	errWrongType  = errors.New("the certificate is for another type of agent")
	errRevoked    = errors.New("the agent was revoked")
	errEnrolledID = errors.New("this id belongs to an agent that is enrolled")
)

// peerOf says who asks for a connection, or why nobody may.
func (s *Server) peerOf(r *http.Request) (peer, error) {
	p := peer{secure: r.TLS != nil || isLoopback(r.RemoteAddr)}
	if s.isStranger(r) {
		return p, errUnenrolled
	}
	if !showsCertificate(r) {
		return p, nil
	}
	cert := r.TLS.PeerCertificates[0]
	id, err := s.certs.ca.Verify(cert, time.Now())
	if err != nil {
		return p, err
	}
	p.identity, p.serial = &id, pki.Serial(cert)
	return p, s.roster.Admit(id.ID, id.Enrolment, p.serial)
}

// isStranger reports whether a client shows no certificate, and needs one.
func (s *Server) isStranger(r *http.Request) bool {
	return !showsCertificate(r) && !s.admitsUnenrolled(r)
}

func showsCertificate(r *http.Request) bool { return r.TLS != nil && len(r.TLS.PeerCertificates) > 0 }

// defaultAuth is agents.auth of a listener for which nothing is said: agents of the field may come in where only this host
// can be.
func defaultAuth(listen string) string {
	if isLoopback(listen) {
		return authOpen
	}
	return authEnrolled
}

// admitsUnenrolled reports whether agents of the field may come in here. A handler that is mounted elsewhere, and for which
// nothing is said, lets them in on connections of this host and in memory.
func (s *Server) admitsUnenrolled(r *http.Request) bool {
	switch s.cfg.Agents.Auth {
	case authOpen:
		return true
	case authEnrolled:
		return false
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return !ok || local.Network() == "pipe" || isLoopback(local.String())
}

// isLoopback reports whether an address, with a port, is reached by this host alone.
func isLoopback(hostport string) bool {
	if a, err := netip.ParseAddrPort(hostport); err == nil {
		return a.Addr().Unmap().IsLoopback()
	}
	a, err := net.ResolveTCPAddr("tcp", hostport)
	return err == nil && a.IP.IsLoopback()
}

// identify completes and checks who an agent says it is: its certificate decides, if it has one. The result is the label
// under which the handshake is counted.
func (s *Server) identify(come *wire.ComePayload, p peer, now time.Time) (result string, err error) {
	if come.ID != "" {
		if err := wire.CheckID(come.ID); err != nil {
			return "bad_id", fmt.Errorf("agent %w", err)
		}
	}
	result = "ok"
	switch id := p.identity; {
	case id != nil && come.ID != "" && come.ID != id.ID:
		result, err = "identity", errWrongID
	case id != nil && come.Name != id.Type:
		result, err = "identity", errWrongType
	case id != nil:
		come.ID = id.ID
	case come.ID == "":
		come.ID = newAgentID(now)
		return "assigned", nil
	default:
		if _, enrolled := s.roster.Get(come.ID); enrolled {
			result, err = "identity", errEnrolledID
		}
	}
	return result, err
}

// stillEnrolled says why a session that has just got its id must end: whoever revoked its agent may not have seen it.
func (s *Server) stillEnrolled(sess *session) error {
	if id := sess.peer.identity; id != nil {
		return s.roster.Admit(id.ID, id.Enrolment, sess.peer.serial)
	}
	if _, enrolled := s.roster.Get(sess.agent.ID); enrolled {
		return errEnrolledID
	}
	return nil
}

// tookOver writes down that a session has taken the id of another one.
func (s *Server) tookOver(old, sess *session) {
	s.note(audit.Entry{
		Event: "takeover", Actor: "agent", From: sess.agent.Remote, Target: sess.agent.ID, Result: "ok",
		Detail: map[string]any{"from": old.agent.Remote, "authenticated": sess.agent.Authenticated},
	})
}

// turnedAway writes down who was refused, and why.
func (s *Server) turnedAway(remote string, p peer, claimed string, why error) {
	e := audit.Entry{Event: "agent.refused", Actor: "agent", From: remote, Target: clip(claimed, 255), Result: why.Error()}
	if p.identity != nil {
		e.Detail = map[string]any{"certificate": p.identity.ID, "type": p.identity.Type, "serial": p.serial}
	}
	s.refused(e)
}

// refreshRevoked takes revocations that somebody has written, and closes the connections that they are about.
func (s *Server) refreshRevoked() error {
	fresh, err := s.roster.Refresh()
	for _, rev := range fresh {
		if sess := s.sessions.get(rev.Agent); sess != nil && sess.from(rev.Enrolment) {
			s.dismiss(sess, errRevoked)
		}
	}
	return err
}

// from reports whether a session's agent has a certificate of this enrolment.
func (s *session) from(enrolment string) bool {
	return s.peer.identity != nil && s.peer.identity.Enrolment == enrolment
}

// dismiss closes a session. Its own goroutine does the rest.
func (s *Server) dismiss(sess *session, why error) {
	s.note(audit.Entry{Event: "agent.dismissed", Actor: "server", From: sess.agent.Remote, Target: sess.agent.ID, Result: why.Error()})
	s.forget(sess) // at once: its agent may be on its way back, with a better certificate
	if s.agents.enter() {
		s.agents.finish(func() { sess.conn.Close(conn.CodePolicy, why.Error()) })
	}
}

// endExpired closes the sessions of agents whose last certificate has expired: that one would not get in again.
func (s *Server) endExpired(now time.Time) {
	all, _ := s.sessions.all()
	for _, sess := range all {
		if sess.peer.identity == nil {
			continue
		}
		a, known := s.roster.Get(sess.agent.ID)
		switch {
		case !known || !sess.from(a.Enrolment):
			s.dismiss(sess, roster.ErrSuperseded)
		case now.After(a.NotAfter):
			s.dismiss(sess, pki.ErrExpired)
		}
	}
}
