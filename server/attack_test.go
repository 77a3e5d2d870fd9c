package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/pki"
	"github.com/jkstack/jkframe/v2/server/internal/tokens"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// refusedBecause wants an error, before the handshake or in it, and a line in the audit log that says why.
func (f *fleet) refusedBecause(t testing.TB, err error, why string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), why) && !strings.Contains(err.Error(), "403") {
		t.Errorf("error %v, want %q", err, why)
	}
	for _, line := range f.audited(t, "agent.refused") {
		if strings.Contains(fmt.Sprint(line["result"]), why) {
			return
		}
	}
	t.Errorf("the audit log does not say that %q was refused: %v", why, f.audited(t, "agent.refused"))
}

// An agent with a certificate comes in, and is who that says.
func TestEnrolledAgentIsServed(t *testing.T) {
	f := startFleet(t, server.Config{})
	h := f.enrolled(t, "host-17")
	for _, claimed := range []string{"host-17", ""} {
		c, err := f.arrive(t, h, claimed, "exec-agent")
		if err != nil {
			t.Fatalf("claiming %q: %v", claimed, err)
		}
		if connected, proved := f.online(t, "host-17"); !connected || !proved {
			t.Errorf("claiming %q: connected %v, authenticated %v", claimed, connected, proved)
		}
		if got := f.metric(t, "agent_server_agents_unauthenticated"); got != "0" {
			t.Errorf("%s agents are not authenticated, want 0", got)
		}
		c.Close(conn.CodeNormal, "")
		waitFor(t, f.fixture, "agent_count", "0")
	}
	if lines := f.audited(t, "enrol"); len(lines) != 1 || lines[0]["target"] != "host-17" {
		t.Errorf("the audit log says %v", lines)
	}
}

// Who has no certificate does not come in, and not in place of one who has.
func TestWithoutCertificate(t *testing.T) {
	f := startFleet(t, server.Config{})
	_, err := f.connectAs(newHost(t))
	f.refusedBecause(t, err, "this server takes only agents that are enrolled")
	_, err = f.tryConnect(conn.Options{}) // without TLS
	f.refusedBecause(t, err, "this server takes only agents that are enrolled")

	open := startFleet(t, server.Config{Agents: server.AgentsConfig{Auth: "open"}})
	h := open.enrolled(t, "host-17")
	if _, err := open.arrive(t, newHost(t), "host-17", "exec-agent"); err == nil {
		t.Error("a stranger took the id of an enrolled agent that is away")
	}
	if _, err := open.arrive(t, h, "", "exec-agent"); err != nil {
		t.Errorf("the enrolled agent: %v", err)
	}
	if _, err := open.arrive(t, newHost(t), "host-17", "exec-agent"); err == nil {
		t.Error("a stranger took the id of an enrolled agent that is connected")
	}
	if _, err := open.arrive(t, newHost(t), "host-18", "exec-agent"); err != nil {
		t.Errorf("an agent of the field: %v", err)
	}
	if connected, proved := open.online(t, "host-18"); !connected || proved {
		t.Errorf("an agent of the field: connected %v, authenticated %v", connected, proved)
	}
	if got := open.metric(t, "agent_server_agents_unauthenticated"); got != "1" {
		t.Errorf("%s agents are not authenticated, want 1", got)
	}
}

// A crowd that has no certificate, or guesses at tokens, keeps no agent out: connect_limit is for those that are enrolled.
func TestStrangersTakeNoPlaces(t *testing.T) {
	f := startFleet(t, server.Config{ConnectLimit: 3})
	h := f.enrolled(t, "host-17")
	for range 20 {
		if status := f.enrol(t, newHost(t), "jke_000000000000_"+strings.Repeat("0", 64), "host-18"); status != 403 && status != 503 {
			t.Errorf("status %d", status)
		}
		if c, err := f.connectAs(newHost(t)); err == nil {
			t.Error("a stranger was let in")
			c.Close(conn.CodeNormal, "")
		}
	}
	if _, err := f.arrive(t, h, "", "exec-agent"); err != nil {
		t.Error(err)
	}
}

// The id and the type come from the certificate.
func TestAnotherID(t *testing.T) {
	f := startFleet(t, server.Config{})
	h := f.enrolled(t, "host-17")
	f.enrolled(t, "host-18")
	_, err := f.arrive(t, h, "host-18", "exec-agent")
	f.refusedBecause(t, err, "the certificate is for another agent id")
	_, err = f.arrive(t, h, "host-17", "metrics-agent")
	f.refusedBecause(t, err, "the certificate is for another type of agent")
	if _, err := f.arrive(t, h, "host-17", "exec-agent"); err != nil {
		t.Errorf("the honest one: %v", err)
	}
}

// Certificates of others, of another time or for another purpose are worth nothing.
func TestBadCertificates(t *testing.T) {
	f := startFleet(t, server.Config{})
	h := f.enrolled(t, "host-17")
	other, err := pki.Open(t.TempDir()) // with the same names in it, and another key
	if err != nil {
		t.Fatal(err)
	}
	own, err := pki.Open(filepath.Join(f.dir, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	id := pki.Identity{ID: "host-17", Type: "exec-agent", Enrolment: "x"}
	issue := func(a *pki.Authority, begin time.Time) tls.Certificate {
		der, _, err := a.Agent(&h.key.PublicKey, id, time.Hour, begin)
		if err != nil {
			t.Fatal(err)
		}
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: h.key}
	}
	serverCert, err := own.Server([]string{"host-17"}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		cert tls.Certificate
	}{
		{"of another authority", issue(other, time.Now())},
		{"expired", issue(own, time.Now().Add(-48*time.Hour))},
		{"not valid yet", issue(own, time.Now().Add(48*time.Hour))},
		{"of an enrolment that never was", issue(own, time.Now())},
		{"of the server", *serverCert},
	} {
		bad := &host{key: h.key, cert: &tt.cert}
		if _, err := f.connectAs(bad); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("a certificate %s: %v", tt.name, err)
		}
		if status, _ := f.post(t, bad, "/agent/renew", "", map[string]string{"csr": h.csr(t)}); status != http.StatusForbidden {
			t.Errorf("a certificate %s is renewed: %d", tt.name, status)
		}
	}
	if n := len(f.audited(t, "agent.refused")); n < 5 {
		t.Errorf("%d refusals in the audit log", n)
	}
	// A certificate without its key does not even make a connection.
	stolen := &host{cert: &tls.Certificate{Certificate: h.cert.Certificate, PrivateKey: newHost(t).key}}
	if _, err := f.connectAs(stolen); err == nil {
		t.Error("a certificate with another key was taken")
	}
	if _, err := f.arrive(t, h, "", "exec-agent"); err != nil {
		t.Errorf("the honest one: %v", err)
	}
}

// A token that is stolen after its use is worth nothing, and of fifty that use it at once one gets what it is for.
func TestTokenIsUsedOnce(t *testing.T) {
	f := startFleet(t, server.Config{ConnectLimit: -1})
	token := f.enrolToken(t)
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			switch status := f.enrol(t, newHost(t), token, fmt.Sprintf("host-%02d", i)); status {
			case http.StatusOK:
				won.Add(1)
			case http.StatusForbidden:
			default:
				t.Errorf("status %d", status)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of fifty got a certificate", won.Load())
	}
	if status := f.enrol(t, newHost(t), token, "host-99"); status != http.StatusForbidden {
		t.Errorf("the stolen token: %d", status)
	}
	// Its owner may not have got the answer: with the same key it costs nothing.
	again := f.enrolToken(t)
	h := newHost(t)
	for range 2 {
		if status := f.enrol(t, h, again, "host-77"); status != http.StatusOK {
			t.Fatalf("the owner asks again: %d", status)
		}
	}
	if _, err := f.arrive(t, h, "host-77", "exec-agent"); err != nil {
		t.Errorf("the owner: %v", err)
	}
}

// What a token is not for it does not do, and a stranger learns nothing of why.
func TestTokenRefusals(t *testing.T) {
	f := startFleet(t, server.Config{})
	f.enrolled(t, "taken")
	spent := f.enrolToken(t)
	if status := f.enrol(t, newHost(t), spent, "first"); status != http.StatusOK {
		t.Fatal(status)
	}
	revoked := f.enrolToken(t, "--name", "gone")
	f.command(t, "token", "revoke", "gone")
	good := f.enrolToken(t)
	for _, tt := range []struct{ name, token, id string }{
		{"none", "", "x"},
		{"made up", "jke_0123456789ab_" + strings.Repeat("0", 64), "x"},
		{"wrong secret", good[:len(good)-4] + "0000", "x"},
		{"path", "jke_../../../a_" + strings.Repeat("0", 64), "x"},
		{"of the API", f.apiToken(t, "--role", "admin"), "x"},
		{"api.token", f.token, "x"},
		{"spent", spent, "x"},
		{"revoked", revoked, "x"},
		{"expired", f.makeToken(t, tokens.Token{Kind: tokens.Enrol, AgentType: "exec-agent", Uses: 1, Expires: time.Now().Add(-time.Second)}), "x"},
		{"another type", f.makeToken(t, tokens.Token{Kind: tokens.Enrol, AgentType: "metrics-agent", Uses: 1}), "x"},
		{"another id", f.enrolToken(t, "--id", "y"), "x"},
		{"an id that is enrolled", good, "taken"},
	} {
		h := newHost(t)
		status, answer := f.post(t, h, "/agent/enroll", tt.token, map[string]string{"id": tt.id, "type": "exec-agent", "csr": h.csr(t)})
		if status != http.StatusForbidden || answer["msg"] != "this token does not enrol this agent" {
			t.Errorf("%s: %d %v", tt.name, status, answer)
		}
	}
	if status := f.enrol(t, newHost(t), good, "x"); status != http.StatusOK {
		t.Errorf("the good one: %d", status)
	}
	// Requests that make no sense cost the token nothing.
	token, h := f.enrolToken(t), newHost(t)
	for _, body := range []map[string]string{
		{}, {"csr": h.csr(t)}, {"type": "exec-agent", "csr": "x"}, {"id": "a\nb", "type": "exec-agent", "csr": h.csr(t)},
		{"type": "exec-agent", "csr": strings.Repeat("x", 20_000)},
	} {
		if status, _ := f.post(t, h, "/agent/enroll", token, body); status != http.StatusBadRequest {
			t.Errorf("%.40v: %d", body, status)
		}
	}
	if status := f.enrol(t, h, token, ""); status != http.StatusOK || !strings.HasPrefix(h.id, "agent-") {
		t.Errorf("after bad requests: %d, id %q", status, h.id)
	}
	if all := f.logs.String(); strings.Contains(all, token) || strings.Contains(all, token[17:]) {
		t.Error("a token is in the log")
	}
}

// A revocation closes the connection, and survives a renewal that came before it.
func TestRevocation(t *testing.T) {
	f := startFleet(t, server.Config{})
	h, other := f.enrolled(t, "host-17"), f.enrolled(t, "host-18")
	c, err := f.arrive(t, h, "", "exec-agent")
	if err != nil {
		t.Fatal(err)
	}
	renewed := newHost(t)
	status, answer := f.post(t, h, "/agent/renew", "", map[string]string{"csr": renewed.csr(t)})
	if status != http.StatusOK {
		t.Fatalf("renewal: %d %v", status, answer)
	}
	renewed.keep(t, answer)
	f.command(t, "agent", "revoke", "host-17")
	if bye := closed(t, c); bye.Code != conn.CodePolicy || !strings.Contains(bye.Reason, "revoked") {
		t.Errorf("goodbye %d %q", bye.Code, bye.Reason)
	}
	for name, who := range map[string]*host{"old": h, "renewed": renewed} {
		if _, err := f.connectAs(who); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("the %s certificate after the revocation: %v", name, err)
		}
		if status, _ := f.post(t, who, "/agent/renew", "", map[string]string{"csr": who.csr(t)}); status != http.StatusForbidden {
			t.Errorf("the %s certificate is renewed after the revocation: %d", name, status)
		}
	}
	if status := f.enrol(t, newHost(t), f.enrolToken(t), "host-17"); status != http.StatusForbidden {
		t.Errorf("a token that does not name it enrols a revoked agent: %d", status)
	}
	back := newHost(t)
	if status := f.enrol(t, back, f.enrolToken(t, "--id", "host-17"), "host-17"); status != http.StatusOK {
		t.Fatalf("a token that names it: %d", status)
	}
	for name, who := range map[string]*host{"back": back, "other": other} {
		if _, err := f.arrive(t, who, "", "exec-agent"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(f.audited(t, "revoke")) != 1 || len(f.audited(t, "agent.dismissed")) != 1 {
		t.Errorf("audit log: %v %v", f.audited(t, "revoke"), f.audited(t, "agent.dismissed"))
	}
	f.stop()
	again := start(t, server.Config{DataDir: f.dir, Agents: server.AgentsConfig{Auth: "enrolled"}})
	f.fixture = again
	if _, err := f.connectAs(renewed); err == nil {
		t.Error("a new start has forgotten the revocation")
	}
}

// After the first use of a renewed certificate the one before is that of a copy; a reinstalled host is no copy.
func TestClones(t *testing.T) {
	f := startFleet(t, server.Config{})
	h := f.enrolled(t, "host-17")
	if _, err := f.arrive(t, h, "", "exec-agent"); err != nil {
		t.Fatal(err)
	}
	_, err := f.arrive(t, h, "", "exec-agent")
	f.refusedBecause(t, err, "agent id conflict")

	renewed := newHost(t)
	_, answer := f.post(t, h, "/agent/renew", "", map[string]string{"csr": renewed.csr(t)})
	renewed.keep(t, answer)
	if _, err := f.connectAs(h); err != nil {
		t.Errorf("the old certificate before the first use of the new one: %v", err)
	}
	if _, err := f.connectAs(renewed); err != nil {
		t.Errorf("the renewed certificate: %v", err)
	}
	_, err = f.connectAs(h)
	f.refusedBecause(t, err, "is this host a copy of another one?")

	fresh := newHost(t)
	if status := f.enrol(t, fresh, f.enrolToken(t, "--id", "host-17"), "host-17"); status != http.StatusOK {
		t.Fatalf("after a reinstall: %d", status)
	}
	waitFor(t, f.fixture, "agent_count", "0") // the one with the old enrolment had to go
	if _, err := f.arrive(t, fresh, "host-17", "exec-agent"); err != nil {
		t.Errorf("after a reinstall: %v", err)
	}
	if _, err := f.connectAs(renewed); err == nil {
		t.Error("the certificate of the old install is still good")
	}
}

// A token that was used gives who has a copy of its agent's first key nothing any more once that agent has another one, by a renewal
// or by an enrolment that came later, and puts nobody out of his place.
func TestUsedTokenOfOldKey(t *testing.T) {
	f := startFleet(t, server.Config{})
	for name, id := range map[string]string{"names the agent": "host-17", "names none": ""} {
		t.Run(name, func(t *testing.T) {
			token := f.enrolToken(t)
			if id != "" {
				token = f.enrolToken(t, "--id", id)
			}
			h := newHost(t)
			for range 2 { // the first answer was lost
				if status := f.enrol(t, h, token, id); status != http.StatusOK {
					t.Fatal(status)
				}
			}
			stolen := *h
			refused := func(when string, now *host) {
				t.Helper()
				if status := f.enrol(t, &stolen, token, h.id); status != http.StatusForbidden {
					t.Errorf("after %s: status %d", when, status)
				}
				if _, err := f.connectAs(now); err != nil {
					t.Errorf("after %s: %v", when, err)
				}
			}
			renewed := newHost(t)
			_, answer := f.post(t, h, "/agent/renew", "", map[string]string{"csr": renewed.csr(t)})
			renewed.keep(t, answer)
			renewed.id = h.id
			refused("a renewal", renewed)
			fresh := newHost(t)
			if status := f.enrol(t, fresh, f.enrolToken(t, "--id", h.id), h.id); status != http.StatusOK {
				t.Fatal(status)
			}
			refused("a new enrolment", fresh)
		})
	}
}

// What was recorded of a connection makes no other one.
func TestReplay(t *testing.T) {
	f := startFleet(t, server.Config{})
	h := f.enrolled(t, "host-17")
	var sent taped
	dial := func(context.Context, string, string) (net.Conn, error) {
		c, err := f.dial()
		return &taping{Conn: c, sent: &sent}, err
	}
	c, err := conn.Dialer{TLS: h.tls(), NetDial: dial}.Dial(t.Context(), "wss://server/ws/agent")
	if err != nil {
		t.Fatal(err)
	}
	if a := shake(t, c, come("host-17", "exec-agent")); !a.OK {
		t.Fatal(a.Msg)
	}
	c.Close(conn.CodeNormal, "")
	waitFor(t, f.fixture, "agent_count", "0")
	before := f.metric(t, `agent_server_handshakes_total{result="ok"}`)

	raw, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Write(sent.bytes()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, raw); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Error(err)
	}
	if after := f.metric(t, `agent_server_handshakes_total{result="ok"}`); after != before {
		t.Errorf("%s handshakes after the replay, %s before", after, before)
	}
	if _, err := f.arrive(t, h, "", "exec-agent"); err != nil {
		t.Errorf("the honest one: %v", err)
	}
}

// taped is what was written to a connection.
type taped struct {
	mu   sync.Mutex // guards text
	text []byte
}

func (r *taped) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text
}

type taping struct {
	net.Conn
	sent *taped
}

func (r *taping) Write(p []byte) (int, error) {
	r.sent.mu.Lock()
	r.sent.text = append(r.sent.text, p...)
	r.sent.mu.Unlock()
	return r.Conn.Write(p)
}

// The agents' listener speaks TLS 1.3 and nothing older, and shows the certificate that the operator gave out.
func TestServerShowsItself(t *testing.T) {
	f := startFleet(t, server.Config{TLS: server.TLSConfig{Names: []string{"agents.example.com"}}})
	old := &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}
	if c, err := tls.Dial("tcp", f.AgentAddr().String(), old); err == nil {
		c.Close()
		t.Error("TLS 1.2 was spoken")
	}
	for _, addr := range []net.Addr{f.AgentAddr(), f.APIAddr()} {
		c, err := tls.Dial("tcp", addr.String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		chain := c.ConnectionState().PeerCertificates
		c.Close()
		if got := pki.Fingerprint(chain[len(chain)-1]); got != f.Fingerprint() {
			t.Errorf("%s shows %s, want %s", addr, got, f.Fingerprint())
		}
		roots := x509.NewCertPool()
		roots.AddCert(chain[len(chain)-1])
		for name, good := range map[string]bool{"agents.example.com": true, "127.0.0.1": true, "localhost": true, "other.example.com": false} {
			_, err := chain[0].Verify(x509.VerifyOptions{DNSName: name, Roots: roots})
			if (err == nil) != good {
				t.Errorf("called by %q: %v", name, err)
			}
		}
	}
}

// Beyond loopback nothing is spoken without TLS, unless that was asked for.
func TestInsecureIsAChoice(t *testing.T) {
	for _, insecure := range []bool{false, true} {
		f := setUp(t, server.Config{Listen: "0.0.0.0:0", API: server.APIConfig{Listen: "0.0.0.0:0"}, Insecure: insecure})
		if err := f.Listen(); err != nil {
			t.Fatal(err)
		}
		f.run(t)
		for _, addr := range []net.Addr{f.AgentAddr(), f.APIAddr()} {
			_, port, _ := net.SplitHostPort(addr.String())
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
			for scheme, want := range map[string]bool{"https": true, "http": insecure} {
				resp, err := client.Get(scheme + "://127.0.0.1:" + port + "/healthz")
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				// What HTTP says to who speaks without TLS has no more in it than that.
				if spoken := resp.StatusCode != http.StatusBadRequest; spoken != want {
					t.Errorf("insecure %v: %s is answered with %s", insecure, scheme, resp.Status)
				}
			}
		}
	}
}
