package server

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/internal/pki"
	"github.com/jkstack/jkframe/v2/server/internal/roster"
	"github.com/jkstack/jkframe/v2/server/internal/tokens"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// maxEnrol is how large a request for a certificate may be, in bytes.
const maxEnrol = 16 << 10

// enrolRequest is what an agent posts to /agent/enroll, and without ID and Type to /agent/renew.
type enrolRequest struct {
	ID   string `json:"id,omitempty"` // "" has the server choose one
	Type string `json:"type,omitempty"`
	CSR  string `json:"csr"` // PEM, signed with the key that the host has made
}

// enrolAnswer is the certificate.
type enrolAnswer struct {
	ID   string `json:"id"`
	Cert string `json:"cert"` // PEM
	CA   string `json:"ca"`   // PEM: by what the agent knows the server from now on
}

// registerEnrolment adds what agents ask for to become enrolled, and to stay it.
func (s *Server) registerEnrolment() {
	s.agentMux.HandleFunc("POST /agent/enroll", s.enroll)
	s.agentMux.HandleFunc("POST /agent/renew", s.renew)
	s.agentMux.HandleFunc("GET /agent/ca", s.tellAnchors)
}

// tellAnchors says by what agents know this server, and tells an agent whose certificate another CA has signed than the
// one that signs now to renew it.
func (s *Server) tellAnchors(w http.ResponseWriter, r *http.Request) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 && !s.certs.ca.IssuedBySigner(r.TLS.PeerCertificates[0]) {
		w.Header().Set("Renew", "now")
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Write(s.certs.anchors())
}

// errNoEnrolment is all that a stranger learns.
var errNoEnrolment = rest.Errorf(http.StatusForbidden, "this token does not enrol this agent")

// enroll gives a host that has a token a certificate.
func (s *Server) enroll(w http.ResponseWriter, r *http.Request) {
	if wait, ok := s.enrolling.admit(time.Now()); !ok {
		s.refuse(w, "limit", retrySeconds(wait))
		return
	}
	if r.TLS == nil && !isLoopback(r.RemoteAddr) {
		rest.Errorf(http.StatusForbidden, "agents enrol over TLS").Write(w)
		return
	}
	in, pub, err := readEnrol(w, r)
	if err == nil && in.ID != "" {
		err = wire.CheckID(in.ID)
	}
	if err == nil && (in.Type == "" || len(in.Type) > wire.MaxID) {
		err = errors.New("the type of the agent is missing, or too long")
	}
	if err != nil {
		rest.Errorf(http.StatusBadRequest, "%v", err).Write(w)
		return
	}
	out, err := s.enrol(r, in, pub)
	if err != nil {
		s.refused(audit.Entry{Event: "enrol.refused", Actor: "agent", From: r.RemoteAddr, Target: in.ID, What: in.Type, Result: err.Error()})
		errNoEnrolment.Write(w)
		return
	}
	rest.WriteJSON(w, http.StatusOK, out)
}

// readEnrol reads a request and the public key in it.
func readEnrol(w http.ResponseWriter, r *http.Request) (in enrolRequest, pub *ecdsa.PublicKey, err error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEnrol))
	if err != nil {
		return in, nil, err
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return in, nil, fmt.Errorf("the body is no JSON of a request: %w", err)
	}
	b, _ := pem.Decode([]byte(in.CSR))
	if b == nil || b.Type != "CERTIFICATE REQUEST" {
		return in, nil, errors.New("csr is no certificate request in PEM")
	}
	pub, err = pki.ParseRequest(b.Bytes)
	return in, pub, err
}

// enrol spends the token, makes the certificate and writes all of it down.
func (s *Server) enrol(r *http.Request, in enrolRequest, pub *ecdsa.PublicKey) (*enrolAnswer, error) {
	now := time.Now()
	key, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	enrolment := newEnrolment()
	use := tokens.Use{At: now.UTC(), Agent: in.ID, Enrolment: enrolment, Key: hashOf(key), Remote: r.RemoteAddr}
	if use.Agent == "" {
		use.Agent = newAgentID(now)
	}
	_, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	t, again, err := s.tokens.Check(secret, in.Type, use)
	if err != nil {
		return nil, tokenError(t, err)
	}
	if _, known := s.roster.Get(use.Agent); known && t.AgentID == "" && !again {
		// Whoever may enrol new agents may not take the place of one that is there.
		return nil, fmt.Errorf("agent %q is enrolled: only a token that names it can enrol it again", use.Agent)
	}
	token, use, err := s.tokens.Spend(secret, in.Type, use)
	if err != nil {
		return nil, tokenError(token, err)
	}
	id := pki.Identity{ID: use.Agent, Type: in.Type, Enrolment: use.Enrolment}
	life := s.cfg.Agents.CertLife
	der, serial, err := s.certs.ca.Agent(pub, id, life, now)
	if err != nil {
		return nil, err
	}
	a := roster.Agent{
		ID: id.ID, Type: id.Type, Enrolment: id.Enrolment, Serial: serial, NotAfter: now.Add(life), Issuer: s.certs.ca.Fingerprint(),
		Enrolled: use.At, Token: token.ID, Remote: r.RemoteAddr,
	}
	if err := s.audit.Append(audit.Entry{
		Event: "enrol", Actor: token.Name, From: r.RemoteAddr, Target: id.ID, What: id.Type, Result: "ok",
		Detail: map[string]any{"token": token.ID, "enrolment": id.Enrolment, "serial": serial},
	}); err != nil {
		return nil, err
	}
	err = s.roster.Enrol(a, func(earlier roster.Agent) bool {
		if earlier.Enrolment == a.Enrolment { // the same one asks again
			return true
		}
		// A token that names the agent has it take the place of what was there when the token was used, and of nothing that came later.
		return token.AgentID != "" && (use.Enrolment == enrolment || use.At.After(earlier.Enrolled))
	})
	if err != nil {
		return nil, err
	}
	if sess := s.sessions.get(id.ID); sess != nil && !sess.from(id.Enrolment) {
		s.dismiss(sess, roster.ErrSuperseded)
	}
	return s.answerEnrol(id.ID, der), nil
}

// tokenError is for the audit log: it names the token if its secret was right.
func tokenError(t *tokens.Token, err error) error {
	if t == nil {
		return err
	}
	return fmt.Errorf("token %s (%q): %w", t.ID, t.Name, err)
}

func (s *Server) answerEnrol(id string, der []byte) *enrolAnswer {
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return &enrolAnswer{ID: id, Cert: string(cert), CA: string(s.certs.anchors())}
}

func newEnrolment() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// renew gives an agent that has a good certificate the next one.
func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	p, err := s.peerOf(r)
	if err == nil && p.identity == nil {
		err = errUnenrolled
	}
	if err != nil {
		s.turnedAway(r.RemoteAddr, p, "", err)
		rest.Errorf(http.StatusForbidden, "%v", err).Write(w)
		return
	}
	_, pub, err := readEnrol(w, r)
	if err != nil {
		rest.Errorf(http.StatusBadRequest, "%v", err).Write(w)
		return
	}
	now, life := time.Now(), s.cfg.Agents.CertLife
	der, serial, err := s.certs.ca.Agent(pub, *p.identity, life, now)
	if err == nil {
		err = s.audit.Append(audit.Entry{
			Event: "renew", Actor: "agent", From: r.RemoteAddr, Target: p.identity.ID, Result: "ok",
			Detail: map[string]any{"serial": serial, "before": p.serial},
		})
	}
	if err == nil {
		err = s.roster.Renew(p.identity.ID, p.identity.Enrolment, serial, s.certs.ca.Fingerprint(), now.Add(life))
	}
	if err != nil {
		s.faults.say("certificate not renewed", errAttr(err))
		rest.Errorf(http.StatusInternalServerError, "not renewed: try again later").Write(w)
		return
	}
	rest.WriteJSON(w, http.StatusOK, s.answerEnrol(p.identity.ID, der))
}
