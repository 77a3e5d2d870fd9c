package server_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// fixture is a server that runs, and the token of its API.
type fixture struct {
	*server.Server
	token   string
	stop    func()                   // ends the server and waits for it; may be called twice
	dial    func() (net.Conn, error) // connects to the listener for agents
	dialAPI func() (net.Conn, error) // connects to the listener of the API
	logs    *logs                    // what the server has logged
}

// start runs a server on loopback until the test ends.
func start(t testing.TB, cfg server.Config) *fixture {
	t.Helper()
	cfg.Listen, cfg.API.Listen = "127.0.0.1:0", "127.0.0.1:0"
	f := setUp(t, cfg)
	if err := f.Listen(); err != nil {
		t.Fatal(err)
	}
	f.dial = func() (net.Conn, error) { return net.Dial("tcp", f.AgentAddr().String()) }
	f.dialAPI = func() (net.Conn, error) { return net.Dial("tcp", f.APIAddr().String()) }
	f.run(t)
	return f
}

// startInMemory runs a server that is reached through memory, for tests in a bubble of synctest.
func startInMemory(t testing.TB, cfg server.Config) *fixture {
	t.Helper()
	cfg.Listen, cfg.API.Listen = "none", "none"
	f := setUp(t, cfg)
	agents, api := newPipeListener(), newPipeListener()
	f.SetListeners(agents, api)
	f.dial, f.dialAPI = agents.dial, api.dial
	f.run(t)
	return f
}

func setUp(t testing.TB, cfg server.Config) *fixture {
	t.Helper()
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	f := &fixture{logs: &logs{}}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(f.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	srv, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(srv.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	f.Server, f.token = srv, strings.TrimSpace(string(token))
	return f
}

func (f *fixture) run(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := f.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	f.stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(f.stop)
}

// logs keeps what is logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// pipeListener accepts connections through memory.
type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) dial() (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// come is what an agent of the field says first.
func come(id, kind string) wire.ComePayload {
	return wire.ComePayload{
		ID: id, Name: kind, Version: "1.2.3", IP: net.IPv4(192, 0, 2, 10), MAC: "02:00:c0:00:02:0a", HostName: "host-01",
		OS: "linux", Platform: "debian", PlatformVersion: "12.11", KernelVersion: "6.1.0", Arch: "x86_64", CPU: "AMD EPYC",
		CPUCore: 2, Memory: 8 << 30,
	}
}

// connect connects and says nothing.
func (f *fixture) connect(t testing.TB, opt conn.Options) *conn.Conn {
	t.Helper()
	c, err := f.tryConnect(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(conn.CodeNormal, "") })
	return c
}

func (f *fixture) tryConnect(opt conn.Options) (*conn.Conn, error) {
	d := conn.Dialer{Options: opt, NetDial: func(context.Context, string, string) (net.Conn, error) { return f.dial() }}
	return d.Dial(context.Background(), "ws://server/ws/agent")
}

// send sends a message.
func send[T any](t testing.TB, c *conn.Conn, m *wire.Message[T], task string, v T) {
	t.Helper()
	b, err := m.Append(nil, task, &v)
	if err != nil {
		t.Fatal(err)
	}
	sendRaw(t, c, string(b))
}

func sendRaw(t testing.TB, c *conn.Conn, frame string) {
	t.Helper()
	if err := c.Send(context.Background(), conn.Bulk, []byte(frame)); err != nil {
		t.Fatal(err)
	}
}

// shake says come and returns the answer.
func shake(t testing.TB, c *conn.Conn, p wire.ComePayload) wire.HandshakePayload {
	t.Helper()
	send(t, c, wire.Come, "", p)
	return handshakeOf(t, c)
}

func handshakeOf(t testing.TB, c *conn.Conn) wire.HandshakePayload {
	t.Helper()
	f, err := c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	h, err := wire.Handshake.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// agent connects an agent that has shaken hands.
func (f *fixture) agent(t testing.TB, id, kind string) *conn.Conn {
	t.Helper()
	c := f.connect(t, conn.Options{})
	if h := shake(t, c, come(id, kind)); !h.OK {
		t.Fatalf("handshake of %q: %q", id, h.Msg)
	}
	return c
}

// serve has an agent answer what it is asked, until its connection ends; the channel is closed then.
func serve(c *conn.Conn, answer func(*wire.Frame) []byte) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			f, err := c.Receive()
			if err != nil {
				return
			}
			if b := answer(f); b != nil {
				if c.Send(context.Background(), conn.Bulk, b) != nil {
					return
				}
			}
		}
	}()
	return done
}

// bar answers foo.
func bar(f *wire.Frame) []byte {
	if f.Type != wire.Foo.Request.Type() {
		return nil
	}
	b, err := wire.Foo.Reply.Append(nil, f.Task, &wire.Empty{})
	if err != nil {
		panic(err)
	}
	return b
}

// request asks the API and returns the answer and its body. Headers come as name, value, and replace others.
func (f *fixture) request(t testing.TB, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	req := httptest.NewRequestWithContext(context.Background(), method, "http://127.0.0.1"+path, nil)
	req.Header.Set("Authorization", "Bearer "+f.token)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	f.APIHandler().ServeHTTP(rec, req)
	return rec.Result(), strings.TrimSuffix(rec.Body.String(), "\n")
}

// get asks the API and wants an answer.
func (f *fixture) get(t testing.TB, path string, status int, want string) {
	t.Helper()
	resp, body := f.request(t, http.MethodGet, path)
	if resp.StatusCode != status || body != want {
		t.Errorf("GET %s\n got %d %s\nwant %d %s", path, resp.StatusCode, body, status, want)
	}
}

// metric returns the value of a line of the metrics, "" if there is none.
func (f *fixture) metric(t testing.TB, series string) string {
	t.Helper()
	_, body := f.request(t, http.MethodGet, "/metrics")
	return metricIn(body, series)
}

func metricIn(metrics, series string) string {
	for line := range strings.Lines(metrics) {
		if v, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// closed waits for the end of a connection and returns how the server ended it.
func closed(t testing.TB, c *conn.Conn) *conn.PeerClosedError {
	t.Helper()
	for {
		_, err := c.Receive()
		if err == nil {
			continue
		}
		bye := (*conn.PeerClosedError)(nil)
		if !errors.As(err, &bye) {
			t.Fatalf("connection ended without a goodbye: %v", err)
		}
		return bye
	}
}

// inUse is the memory of heap and stacks that is in use.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// wantErr wants an error.
func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}
