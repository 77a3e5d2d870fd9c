package metrics_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a server that runs, and the token of its API.
type fixture struct {
	*server.Server
	token string
	http  *http.Client
	stop  func() // ends the server and waits for it; may be called twice
}

// start runs a server with features until the test ends.
func start(t testing.TB, cfg server.Config) *fixture {
	t.Helper()
	cfg.Listen, cfg.API.Listen = "127.0.0.1:0", "127.0.0.1:0"
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen(); err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(srv.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{Server: srv, token: strings.TrimSpace(string(token)), http: &http.Client{Transport: &http.Transport{}}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := srv.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	f.stop = func() {
		f.http.CloseIdleConnections()
		cancel()
		<-ended
	}
	t.Cleanup(f.stop)
	return f
}

// do asks the API.
func (f *fixture) do(t testing.TB, method, path, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+f.APIAddr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := f.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSuffix(string(b), "\n")
}

// agent is one that does what a test says.
type agent struct {
	conn *conn.Conn
	done chan struct{}
}

// connect connects an agent of the field. Answer is called for each frame that comes, one after the other.
func (f *fixture) connect(t testing.TB, id, kind, system string, answer func(a *agent, f *wire.Frame)) *agent {
	t.Helper()
	c, err := (&conn.Dialer{}).Dial(t.Context(), "ws://"+f.AgentAddr().String()+"/ws/agent")
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{c, make(chan struct{})}
	t.Cleanup(a.leave)
	send(t, a, wire.Come, "", wire.ComePayload{
		ID: id, Name: kind, Version: "1.0.0", IP: net.IPv4(192, 0, 2, 10), HostName: "host-01", OS: system, Platform: "debian", Arch: "x86_64",
	})
	frame, err := c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if h, err := wire.Handshake.Decode(frame); err != nil || !h.OK {
		t.Fatalf("handshake: %+v, %v", h, err)
	}
	go func() {
		defer close(a.done)
		for {
			frame, err := c.Receive()
			if err != nil {
				return
			}
			answer(a, frame)
		}
	}()
	return a
}

// leave ends the connection; it may be called twice.
func (a *agent) leave() { a.conn.Close(conn.CodeNormal, "") }

func (a *agent) sendRaw(t testing.TB, frame string) {
	if err := a.conn.Send(context.Background(), conn.Bulk, []byte(frame)); err != nil {
		t.Error(err)
	}
}

func send[T any](t testing.TB, a *agent, m *wire.Message[T], task string, v T) {
	b, err := m.Append(nil, task, &v)
	if err != nil {
		t.Error(err)
		return
	}
	a.sendRaw(t, string(b))
}

// silent answers nothing.
func silent(*agent, *wire.Frame) {}

func mustContain(t testing.TB, text string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(text, s) {
			t.Errorf("no %q in\n%s", s, text)
		}
	}
}
