package libagent_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// testCA is a CA of a test.
type testCA struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

func newTestCA(t *testing.T) *testCA {
	t.Helper()
	a := &testCA{t: t, key: newKey(t)}
	a.cert = a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, &a.key.PublicKey)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign completes and signs a certificate.
func (a *testCA) sign(c *x509.Certificate, pub *ecdsa.PublicKey) *x509.Certificate {
	a.t.Helper()
	a.n++
	c.SerialNumber = big.NewInt(a.n)
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent := a.cert
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return signed
}

// server returns a certificate of a server, with its CA.
func (a *testCA) server(change func(c *x509.Certificate)) tls.Certificate {
	a.t.Helper()
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"agents.example.com"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(c)
	}
	key := newKey(a.t)
	return tls.Certificate{Certificate: [][]byte{a.sign(c, &key.PublicKey).Raw, a.cert.Raw}, PrivateKey: key}
}

func (a *testCA) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

func (a *testCA) fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// issuer is a server that enrols agents, and takes those that are.
type issuer struct {
	*httptest.Server
	ca *testCA

	mu      sync.Mutex // guards the fields below
	tokens  []string   // that were shown
	renewed int
	renew   bool // agents are told to
	life    time.Duration
	came    []string // ids of agents with a certificate
	claimed []string // ids in their first message
	shown   *tls.Certificate
}

// newIssuer starts one that shows a certificate of the CA.
func newIssuer(t *testing.T, ca *testCA, cert tls.Certificate) *issuer {
	t.Helper()
	is := &issuer{ca: ca, shown: &cert, life: 90 * 24 * time.Hour}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /agent/enroll", is.enroll)
	mux.HandleFunc("POST /agent/renew", is.enroll)
	mux.HandleFunc("GET /agent/ca", func(w http.ResponseWriter, _ *http.Request) {
		is.mu.Lock()
		defer is.mu.Unlock()
		if is.renew {
			w.Header().Set("Renew", "now")
		}
		w.Write([]byte(ca.pem()))
	})
	mux.HandleFunc("GET /ws/agent", is.agent)
	is.Server = httptest.NewUnstartedServer(mux)
	is.Server.TLS = &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			is.mu.Lock()
			defer is.mu.Unlock()
			return &tls.Config{Certificates: []tls.Certificate{*is.shown}, ClientAuth: tls.RequestClientCert}, nil
		},
	}
	is.Server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	is.StartTLS()
	t.Cleanup(is.Close)
	return is
}

// addr is the server's address for an agent.
func (is *issuer) addr() string { return "wss://" + is.Listener.Addr().String() }

func (is *issuer) enroll(w http.ResponseWriter, r *http.Request) {
	is.mu.Lock()
	defer is.mu.Unlock()
	var in struct{ ID, Type, CSR string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.URL.Path == "/agent/renew" {
		if len(r.TLS.PeerCertificates) == 0 {
			http.Error(w, "no certificate", http.StatusForbidden)
			return
		}
		q := r.TLS.PeerCertificates[0].URIs[0].Query()
		in.ID, in.Type = q.Get("id"), q.Get("type")
		is.renewed++
	} else {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		is.tokens = append(is.tokens, token)
		if token != "good" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"code":403,"msg":"this token does not enrol this agent"}`)
			return
		}
	}
	b, _ := pem.Decode([]byte(in.CSR))
	csr, err := x509.ParseCertificateRequest(b.Bytes)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if in.ID == "" {
		in.ID = "assigned-01"
	}
	uri := &url.URL{Scheme: "jkframe-agent", Host: "agent", Path: "/", RawQuery: url.Values{"id": {in.ID}, "type": {in.Type}, "enrolment": {"1"}}.Encode()}
	cert := is.ca.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: in.ID}, URIs: []*url.URL{uri}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore: time.Now().Add(-is.life), NotAfter: time.Now().Add(is.life),
	}, csr.PublicKey.(*ecdsa.PublicKey))
	json.NewEncoder(w).Encode(map[string]string{
		"id": in.ID, "ca": is.ca.pem(), "cert": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})),
	})
}

// agent shakes hands and keeps the connection.
func (is *issuer) agent(w http.ResponseWriter, r *http.Request) {
	c, err := conn.Upgrade(w, r, conn.Options{})
	if err != nil {
		return
	}
	defer c.Close(conn.CodeNormal, "")
	f, err := c.Receive()
	if err != nil {
		return
	}
	come, err := wire.Come.Decode(f)
	if err != nil {
		return
	}
	is.mu.Lock()
	is.claimed = append(is.claimed, come.ID)
	id := come.ID
	if len(r.TLS.PeerCertificates) > 0 {
		id = r.TLS.PeerCertificates[0].URIs[0].Query().Get("id")
		is.came = append(is.came, id)
	}
	is.mu.Unlock()
	b, err := wire.Handshake.Append(nil, "", &wire.HandshakePayload{OK: true, ID: id})
	if err != nil || c.Send(r.Context(), conn.Control, b) != nil {
		return
	}
	for {
		if _, err := c.Receive(); err != nil {
			return
		}
	}
}

// count returns what a function counts.
func (is *issuer) count(f func() int) int {
	is.mu.Lock()
	defer is.mu.Unlock()
	return f()
}

// agentConf writes a config file of an agent into a folder of its own.
func agentConf(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "agent.conf")
	if err := os.WriteFile(file, []byte("# kept\n"+strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// run runs a command of an agent.
func runCommand(t *testing.T, stdin string, args ...string) (code int, out string) {
	t.Helper()
	var both bytes.Buffer
	c := libagent.Command{App: &testApp{}, Stdin: strings.NewReader(stdin), Stdout: &both, Stderr: &both}
	code = c.Main(t.Context(), args)
	return code, both.String()
}

// startFile runs an agent with a config file until the test ends, and returns its log.
func startFile(t *testing.T, file string) *lines {
	t.Helper()
	log := &lines{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- libagent.Run(ctx, &testApp{}, &libagent.Options{ConfigFile: file, Logger: slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), nil))})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the agent ended with %v", err)
		}
	})
	return log
}

// An agent that enrols makes its key, keeps it for itself, and is known by its certificate from then on.
func TestEnroll(t *testing.T) {
	ca := newTestCA(t)
	is := newIssuer(t, ca, ca.server(nil))
	file := agentConf(t, "basic.id =", "basic.server = 127.0.0.1:1")
	code, out := runCommand(t, "", "enroll", "--conf", file, "--server", is.addr(), "--token", "good", "--ca-fingerprint", ca.fingerprint())
	if code != 0 || !strings.Contains(out, `enrolled as "assigned-01" (test-agent)`) {
		t.Fatalf("code %d: %s", code, out)
	}
	text, err := os.ReadFile(file)
	if want := "# kept\nbasic.id = assigned-01\nbasic.server = " + is.addr() + "\n"; err != nil || string(text) != want {
		t.Errorf("config %q, %v, want %q", text, err, want)
	}
	dir := filepath.Join(filepath.Dir(file), "identity")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{".", "agent.pem"} {
			if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
	}
	startFile(t, file)
	eventually(t, func() bool { return is.count(func() int { return len(is.came) }) == 1 })
	if is.came[0] != "assigned-01" {
		t.Errorf("came as %q", is.came)
	}
	code, out = runCommand(t, "", "enroll", "--conf", file, "--token", "good")
	if code == 0 || !strings.Contains(out, `this agent is enrolled as "assigned-01"`) {
		t.Errorf("enrolled twice: code %d: %s", code, out)
	}
}

// An agent gives its token to nobody but its server.
func TestEnrollAtStrangers(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	for _, tt := range []struct {
		name string
		cert tls.Certificate
		want string // "" for one that is trusted
	}{
		{"honest", ca.server(nil), ""},
		{"man in the middle", other.server(nil), "it shows no certificate with a fingerprint that is wanted"},
		{"man in the middle with a chain", func() tls.Certificate { // that shows the right CA, which has not signed
			c := other.server(nil)
			c.Certificate[1] = ca.cert.Raw
			return c
		}(), "certificate signed by unknown authority"},
		{"expired", ca.server(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}), "expired"},
		{"wrong name", ca.server(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)} }), "is valid for 192.0.2.1, not 127.0.0.1"},
		{"an agent of the same CA", ca.server(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), "incompatible key usage"},
		{"self-signed", func() tls.Certificate {
			c := newTestCA(t)
			return tls.Certificate{Certificate: [][]byte{c.cert.Raw}, PrivateKey: c.key}
		}(), "it shows no certificate with a fingerprint that is wanted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			is := newIssuer(t, ca, tt.cert)
			for _, how := range [][]string{{"--ca-fingerprint", ca.fingerprint()}, {"--ca", writeTemp(t, ca.pem())}} {
				is.tokens = nil
				file := agentConf(t, "basic.server = "+is.addr())
				code, out := runCommand(t, "good\n", append([]string{"enroll", "--conf", file, "--token", "-"}, how...)...)
				if tt.want == "" {
					if code != 0 || len(is.tokens) != 1 {
						t.Errorf("%v: code %d: %s", how, code, out)
					}
					continue
				}
				if code == 0 || len(is.tokens) > 0 {
					t.Errorf("%v: a stranger got the token: code %d: %s", how, code, out)
				}
				if how[0] == "--ca-fingerprint" && !strings.Contains(out, tt.want) {
					t.Errorf("%v: %s, want %q", how, out, tt.want)
				}
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), "identity", "agent.pem")); err == nil {
					t.Error("there is an identity")
				}
			}
		})
	}
}

// An agent that is enrolled speaks to nobody else, and to nobody without TLS, whatever its config says.
func TestEnrolledAgentKeepsToItsServer(t *testing.T) {
	ca, other := newTestCA(t), newTestCA(t)
	is := newIssuer(t, ca, ca.server(nil))
	file := agentConf(t, "basic.server = "+is.Listener.Addr().String(), "basic.id = host-17", "basic.reconnect.spread = 0s")
	if code, out := runCommand(t, "", "enroll", "--conf", file, "--token", "good", "--ca-fingerprint", ca.fingerprint()); code != 0 {
		t.Fatal(out)
	}
	stranger := other.server(nil)
	is.mu.Lock()
	is.shown = &stranger
	is.mu.Unlock()
	log := startFile(t, file)
	eventually(t, func() bool { return log.count("certificate signed by unknown authority") > 0 })
	if n := is.count(func() int { return len(is.claimed) }); n > 0 {
		t.Errorf("%d connections with the man in the middle", n)
	}
	honest := ca.server(nil)
	is.mu.Lock()
	is.shown = &honest
	is.mu.Unlock()
	eventually(t, func() bool { return is.count(func() int { return len(is.came) }) > 0 })
	if is.came[0] != "host-17" {
		t.Errorf("came as %q", is.came)
	}
}

// A token in a file enrols the agent at its first start, and a bad one is tried until it is a good one.
func TestEnrollFromFile(t *testing.T) {
	ca := newTestCA(t)
	is := newIssuer(t, ca, ca.server(nil))
	token := writeTemp(t, "bad\n")
	file := agentConf(t, "basic.server = "+is.addr(), "basic.tls.fingerprint = "+strings.ToUpper(ca.fingerprint()), "basic.enroll.token_file = "+token)
	log := startFile(t, file)
	eventually(t, func() bool { return log.count("this token does not enrol this agent") > 0 })
	if err := os.WriteFile(token, []byte("good"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return is.count(func() int { return len(is.came) }) == 1 })
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "basic.id = assigned-01") {
		t.Errorf("%s %v", text, err)
	}
	if strings.Contains(log.String(), "good") {
		t.Error("the token is in the log")
	}
}

// A certificate of an agent that lasts only a short time is renewed while it is good, with a new key.
func TestRenew(t *testing.T) {
	ca := newTestCA(t)
	is := newIssuer(t, ca, ca.server(nil))
	is.life = 10 * time.Second // of which half is over when it is made
	file := agentConf(t, "basic.server = "+is.addr())
	if code, out := runCommand(t, "", "enroll", "--conf", file, "--token", "good", "--ca-fingerprint", ca.fingerprint()); code != 0 {
		t.Fatal(out)
	}
	identity := filepath.Join(filepath.Dir(file), "identity", "agent.pem")
	before, err := os.ReadFile(identity)
	if err != nil {
		t.Fatal(err)
	}
	is.mu.Lock()
	is.renew, is.life = true, 90*24*time.Hour
	is.mu.Unlock()
	log := startFile(t, file)
	eventually(t, func() bool { return log.count("certificate renewed") == 1 })
	after, err := os.ReadFile(identity)
	if err != nil || bytes.Equal(before, after) || bytes.Equal(before[:200], after[:200]) {
		t.Errorf("the same certificate, or the same key: %v", err)
	}
	if is.count(func() int { return is.renewed }) != 1 {
		t.Errorf("renewed %d times", is.renewed)
	}
}

// What cannot be right is said, with what to do.
func TestEnrollMistakes(t *testing.T) {
	good := agentConf(t, "basic.server = wss://127.0.0.1:1")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--conf", good}, "enroll needs --token or --token-file"},
		{[]string{"--conf", good, "--token", "x", "--token-file", "y"}, "enroll needs --token or --token-file"},
		{[]string{"--conf", good, "--token", "x", "--ca-fingerprint", "sha1:00"}, `"sha1:00" is no fingerprint`},
		{[]string{"--conf", good, "--token", "x", "--server", "http://x"}, "is no address"},
		{[]string{"--conf", good, "--token", "x", "--id", "a\nb"}, "basic.id"},
		{[]string{"--conf", good, "--token", "-"}, "standard input holds no token"},
		{[]string{"--conf", good, "--token-file", good + ".none"}, "no such file"},
		{[]string{"--conf", good + ".none", "--token", "x"}, "no such file"},
		{[]string{"--conf", good, "--token", "x"}, "connection refused"},
	} {
		code, out := runCommand(t, "", append([]string{"enroll"}, tt.args...)...)
		if code == 0 || !strings.Contains(out, tt.want) {
			t.Errorf("enroll %q: code %d: %s, want %q", tt.args, code, out, tt.want)
		}
	}
	if !slices.ContainsFunc(strings.Split(mustHelp(t), "\n"), func(l string) bool { return strings.Contains(l, "enroll") }) {
		t.Error("the help does not know it")
	}
}

func mustHelp(t *testing.T) string {
	t.Helper()
	_, out := runCommand(t, "", "--help")
	return out
}

// eventually waits for what happens on other goroutines and over real connections.
func eventually(t *testing.T, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it did not happen")
		}
	}
}

// writeTemp writes a file that only its owner may read.
func writeTemp(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
