package server_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/tokens"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// fleet is a server with its folder, and the commands of its operator.
type fleet struct {
	*fixture
	dir  string
	conf string
}

// startFleet runs a server that takes only enrolled agents, unless cfg says something else.
func startFleet(t testing.TB, cfg server.Config) *fleet {
	t.Helper()
	f := &fleet{dir: t.TempDir()}
	f.conf = writeConfig(t, "data_dir = "+f.dir+"\n")
	cfg.DataDir = f.dir
	if cfg.Agents.Auth == "" {
		cfg.Agents.Auth = "enrolled"
	}
	f.fixture = start(t, cfg)
	return f
}

// command runs a command of the operator, and returns the first line that it prints.
func (f *fleet) command(t testing.TB, args ...string) string {
	t.Helper()
	code, stdout, stderr := command(context.Background(), append(args, "--conf", f.conf)...)
	if code != server.ExitOK {
		t.Fatalf("agent-server %v: code %d: %s", args, code, stderr)
	}
	line, _, _ := strings.Cut(stdout, "\n")
	return line
}

// enrolToken makes a token that enrols agents.
func (f *fleet) enrolToken(t testing.TB, args ...string) string {
	t.Helper()
	line := f.command(t, append([]string{"token", "create", "--type", "exec-agent"}, args...)...)
	_, rest, _ := strings.Cut(line, "--token ")
	token, _, _ := strings.Cut(rest, " ")
	return token
}

// apiToken makes a token for the API.
func (f *fleet) apiToken(t testing.TB, args ...string) string {
	t.Helper()
	return f.command(t, append([]string{"token", "create", "--api", "--name", t.Name()}, args...)...)
}

// host is the host of an agent: its key, and what the server gave for it.
type host struct {
	key  *ecdsa.PrivateKey
	id   string
	cert *tls.Certificate // nil before the enrolment
}

func newHost(t testing.TB) *host {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &host{key: key}
}

// csr is a request for a certificate, in PEM.
func (h *host) csr(t testing.TB) string {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, h.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// tls is how the host connects: it trusts the server that listens there, whatever it shows. That an agent does not is for
// its own tests to show.
func (h *host) tls() *tls.Config {
	c := &tls.Config{InsecureSkipVerify: true}
	if h != nil && h.cert != nil {
		c.Certificates = []tls.Certificate{*h.cert}
	}
	return c
}

// post asks the listener for agents over TLS.
func (f *fleet) post(t testing.TB, h *host, path, token string, body map[string]string) (status int, answer map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://"+f.AgentAddr().String()+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: h.tls(), DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(all, &answer) // an answer that is no JSON is none
	return resp.StatusCode, answer
}

// enrol asks for a certificate, and keeps it.
func (f *fleet) enrol(t testing.TB, h *host, token, id string) int {
	t.Helper()
	status, answer := f.post(t, h, "/agent/enroll", token, map[string]string{"id": id, "type": "exec-agent", "csr": h.csr(t)})
	if status == http.StatusOK {
		h.keep(t, answer)
	}
	return status
}

// keep takes a certificate.
func (h *host) keep(t testing.TB, answer map[string]any) {
	t.Helper()
	b, _ := pem.Decode(fmt.Append(nil, answer["cert"]))
	if b == nil {
		t.Fatalf("no certificate in %v", answer)
	}
	leaf, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	h.id, h.cert = fmt.Sprint(answer["id"]), &tls.Certificate{Certificate: [][]byte{b.Bytes}, PrivateKey: h.key, Leaf: leaf}
}

// enrolled is a host that has a certificate.
func (f *fleet) enrolled(t testing.TB, id string) *host {
	t.Helper()
	h := newHost(t)
	if status := f.enrol(t, h, f.enrolToken(t), id); status != http.StatusOK {
		t.Fatalf("enrolling %q: status %d", id, status)
	}
	return h
}

// connectAs connects over TLS; a refusal before the handshake is an error.
func (f *fleet) connectAs(h *host) (*conn.Conn, error) {
	d := conn.Dialer{TLS: h.tls(), NetDial: func(context.Context, string, string) (net.Conn, error) { return f.dial() }}
	return d.Dial(context.Background(), "wss://server/ws/agent")
}

// arrive connects and shakes hands, and returns why that did not work.
func (f *fleet) arrive(t testing.TB, h *host, id, kind string) (*conn.Conn, error) {
	t.Helper()
	c, err := f.connectAs(h)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { c.Close(conn.CodeNormal, "") })
	if a := shake(t, c, come(id, kind)); !a.OK {
		return nil, errors.New(a.Msg)
	}
	return c, nil
}

// online reports whether an agent is connected, and whether a certificate proves who it is.
func (f *fleet) online(t testing.TB, id string) (connected, authenticated bool) {
	t.Helper()
	a, err := f.Get(t.Context(), id)
	if err != nil {
		return false, false
	}
	return true, a.Authenticated
}

// audited returns the lines of the audit log of an event, the newest first.
func (f *fleet) audited(t testing.TB, event string) []map[string]any {
	t.Helper()
	resp, body := f.request(t, http.MethodGet, "/api/audit?size=1000&event="+event)
	var page struct {
		Payload struct{ Lines []map[string]any }
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("audit log: %s %s", resp.Status, body)
	}
	return page.Payload.Lines
}

// tokensDir is where the tokens are.
func (f *fleet) tokensDir() string { return filepath.Join(f.dir, "tokens") }

// makeToken makes a token that the command would not.
func (f *fleet) makeToken(t testing.TB, tok tokens.Token) string {
	t.Helper()
	text, err := tokens.Create(f.tokensDir(), &tok)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// posting is a feature with a call that takes JSON.
type posting struct{}

func (posting) Name() string { return "posting" }

func (posting) Attach(h *server.Host) error {
	type input struct {
		Body struct {
			Text string `json:"text"`
		}
	}
	server.Register(h, server.RoleOperate, huma.Operation{OperationID: "post", Method: http.MethodPost, Path: "/api/posting"},
		func(context.Context, *input) (*rest.Body[rest.Done], error) { return &rest.Body[rest.Done]{}, nil })
	return nil
}

// faraway connects agents whose connection comes from another machine.
type faraway struct{ f *fleet }

func (fa *faraway) agent(t testing.TB, id string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "192.0.2.9:50000"
		fa.f.AgentHandler().ServeHTTP(w, r)
	}))
	srv.Start()
	t.Cleanup(srv.Close)
	c, err := conn.Dialer{}.Dial(t.Context(), "ws://"+srv.Listener.Addr().String()+"/ws/agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(conn.CodeNormal, "") })
	if a := shake(t, c, come(id, "exec-agent")); !a.OK {
		t.Fatal(a.Msg)
	}
	serve(c, bar)
}
