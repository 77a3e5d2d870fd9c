package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/pki"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// until waits for what a server that runs notices within a second or two.
func until(t *testing.T, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("it did not happen")
		}
	}
}

// anchors asks by what the server is known, as the agent of a host, and whether that should renew its certificate.
func (f *fleet) anchors(t testing.TB, h *host) (roots string, renew bool) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+f.AgentAddr().String()+"/agent/ca", nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: h.tls(), DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %v", resp.Status, err)
	}
	return string(text), resp.Header.Get("Renew") == "now"
}

// shows returns the fingerprints of what the agents' listener shows.
func (f *fleet) shows(t testing.TB) (all []string) {
	t.Helper()
	c, err := tls.Dial("tcp", f.AgentAddr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, cert := range c.ConnectionState().PeerCertificates {
		all = append(all, pki.Fingerprint(cert))
	}
	return all
}

// A new CA takes the place of the old one while the fleet is connected, and no agent is ever without a good certificate.
func TestRotateCA(t *testing.T) {
	f := startFleet(t, server.Config{})
	h := f.enrolled(t, "host-17")
	c, err := f.arrive(t, h, "", "exec-agent")
	if err != nil {
		t.Fatal(err)
	}
	first := f.Fingerprint()
	if roots, renew := f.anchors(t, h); strings.Count(roots, "BEGIN") != 1 || renew {
		t.Errorf("before: renew %v, %s", renew, roots)
	}

	second, _, _ := strings.Cut(f.command(t, "ca", "rotate"), " ")
	until(t, func() bool { roots, _ := f.anchors(t, h); return strings.Count(roots, "BEGIN") == 2 })
	if _, renew := f.anchors(t, h); renew || f.Fingerprint() != first {
		t.Error("the new CA signs before it is activated")
	}
	f.command(t, "ca", "activate", second)
	until(t, func() bool { return f.shows(t)[1] == second })
	roots, renew := f.anchors(t, h)
	if b, _ := pem.Decode([]byte(roots)); !renew || b == nil {
		t.Error("agents are not told to renew")
	}
	renewed := newHost(t)
	status, answer := f.post(t, h, "/agent/renew", "", map[string]string{"csr": renewed.csr(t)})
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, answer)
	}
	renewed.keep(t, answer)
	if _, renew := f.anchors(t, renewed); renew {
		t.Error("an agent that has renewed is told to renew again")
	}
	if line := f.command(t, "ca", "show"); line == "" {
		t.Error("ca show says nothing")
	}
	late := f.enrolled(t, "host-18")

	f.command(t, "ca", "remove", first)
	until(t, func() bool { roots, _ := f.anchors(t, renewed); return strings.Count(roots, "BEGIN") == 1 })
	if _, err := f.connectAs(h); err == nil {
		t.Error("a certificate of the CA that was removed is good")
	}
	if connected, _ := f.online(t, "host-17"); !connected {
		t.Error("the connection that was there is gone")
	}
	c.Close(conn.CodeNormal, "")
	waitFor(t, f.fixture, "agent_count", "0")
	for _, who := range []*host{renewed, late} {
		if _, err := f.arrive(t, who, "", "exec-agent"); err != nil {
			t.Errorf("%s: %v", who.id, err)
		}
	}
	for _, event := range []string{"ca.rotate", "ca.activate", "ca.remove"} {
		if lines := f.audited(t, event); len(lines) != 1 {
			t.Errorf("%s: %v", event, lines)
		}
	}
}

// writePair writes a certificate and its key.
func writePair(t *testing.T, a *pki.Authority, certFile, keyFile string) (fingerprint string) {
	t.Helper()
	cert, err := a.Server([]string{"127.0.0.1"}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var chain []byte
	for _, der := range cert.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	for file, text := range map[string][]byte{keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), certFile: chain} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pki.Fingerprint(cert.Leaf)
}

// A certificate that comes from files is replaced with them, and agents are enrolled with the server's own CA all the same.
func TestRotateCertificateFiles(t *testing.T) {
	outside, err := pki.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key")
	first := writePair(t, outside, certFile, keyFile)
	f := startFleet(t, server.Config{TLS: server.TLSConfig{Cert: certFile, Key: keyFile}})
	if got := f.shows(t); got[0] != first || f.Fingerprint() != outside.Fingerprint() {
		t.Errorf("shows %v, fingerprint %s", got, f.Fingerprint())
	}
	// It has an hour left, which nobody should learn from agents that do not come any more.
	until(t, func() bool { return strings.Contains(f.logs.String(), "certificate ends soon") })
	end, err := strconv.ParseFloat(f.metric(t, "agent_server_certificate_end_timestamp_seconds"), 64)
	if left := time.Until(time.Unix(int64(end), 0)); err != nil || left > time.Hour || left <= 0 {
		t.Errorf("the certificate ends in %v, %v", left, err)
	}
	h := f.enrolled(t, "host-17")
	if roots, renew := f.anchors(t, h); strings.Count(roots, "BEGIN") != 2 || renew {
		t.Errorf("renew %v, anchors %s", renew, roots)
	}
	if err := os.WriteFile(keyFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return strings.Contains(f.logs.String(), "tls.cert and tls.key") })
	if got := f.shows(t); got[0] != first {
		t.Error("files that do not fit have taken the place of those that do")
	}
	second := writePair(t, outside, certFile, keyFile)
	until(t, func() bool { return f.shows(t)[0] == second })
	if _, err := f.arrive(t, h, "", "exec-agent"); err != nil {
		t.Error(err)
	}
}

// The first token of the API is replaced in its file.
func TestRotateRootToken(t *testing.T) {
	f := startFleet(t, server.Config{})
	old, fresh := f.token, strings.Repeat("0123456789", 4)
	if err := os.WriteFile(f.TokenFile(), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return strings.Contains(f.logs.String(), "holds 5 characters") })
	f.get(t, "/api/agents", 200, `{"code":0,"payload":[]}`) // the old one, while the new one cannot be used
	if err := os.WriteFile(f.TokenFile(), []byte(fresh), 0o600); err != nil {
		t.Fatal(err)
	}
	f.token = fresh
	until(t, func() bool { resp, _ := f.request(t, "GET", "/api/agents"); return resp.StatusCode == 200 })
	if resp, _ := f.request(t, "GET", "/api/agents", "Authorization", "Bearer "+old); resp.StatusCode != 401 {
		t.Errorf("the old token: %s", resp.Status)
	}
}
