package libagent_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// server is a server in memory: what it does with a connection is up to the test. It works in fake time as well.
type server struct {
	t     *testing.T
	conns chan net.Conn
	http  *http.Server
	wg    sync.WaitGroup

	mu     sync.Mutex // guards what follows
	answer http.HandlerFunc
	dials  []time.Time
	addrs  []string
	down   bool
}

// session is one connection of an agent.
type session struct {
	*conn.Conn
	t    *testing.T
	come wire.ComePayload
}

var errDown = errors.New("server is down")

// newServer starts a server that upgrades every connection and hands it to serve.
func newServer(t *testing.T, serve func(s *session)) *server {
	srv := &server{t: t, conns: make(chan net.Conn)}
	srv.answer = func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{IdleTimeout: -1})
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		serve(&session{Conn: c, t: t})
		c.Close(conn.CodeNormal, "")
	}
	srv.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ws/agent" {
				t.Errorf("the agent asked for %s", r.URL.Path)
			}
			srv.mu.Lock()
			answer := srv.answer
			srv.mu.Unlock()
			answer(w, r)
		}),
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	srv.wg.Go(func() { srv.http.Serve(srv) })
	return srv
}

// net.Listener
func (s *server) Accept() (net.Conn, error) {
	c, ok := <-s.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (s *server) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (s *server) Close() error   { return nil }

// dial is the agent's way to the server.
func (s *server) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	s.mu.Lock()
	s.dials = append(s.dials, time.Now())
	s.addrs = append(s.addrs, addr)
	down := s.down
	s.mu.Unlock()
	if down {
		return nil, errDown
	}
	a, b := net.Pipe()
	select {
	case s.conns <- b:
		return a, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s *server) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *server) stop() {
	close(s.conns)
	s.http.Close()
	s.wg.Wait()
}

// attempts returns the times between the attempts to connect.
func (s *server) attempts() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var d []time.Duration
	for i := 1; i < len(s.dials); i++ {
		d = append(d, s.dials[i].Sub(s.dials[i-1]))
	}
	return d
}

// shake answers the agent's come.
func (s *session) shake(h wire.HandshakePayload) {
	s.readCome()
	s.send(wire.Handshake, h)
}

func (s *session) readCome() {
	f, err := s.Receive()
	if err != nil {
		s.t.Errorf("no come: %v", err)
		return
	}
	if s.come, err = wire.Come.Decode(f); err != nil {
		s.t.Errorf("come: %v", err)
	}
}

// accept shakes hands and keeps the id.
func (s *session) accept() {
	s.readCome()
	s.send(wire.Handshake, wire.HandshakePayload{OK: true, ID: s.come.ID})
}

func (s *session) send(m *wire.Message[wire.HandshakePayload], h wire.HandshakePayload) {
	b, err := m.Append(nil, "", &h)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.raw(string(b))
}

// raw sends a frame as it is.
func (s *session) raw(frame string) {
	if err := s.Send(context.Background(), conn.Control, []byte(frame)); err != nil {
		s.t.Logf("send: %v", err)
	}
}

// frame is what a test looks at.
type frame struct {
	Type int             `json:"type"`
	Task string          `json:"tid"`
	Err  string          `json:"errmsg"`
	Text json.RawMessage `json:"text"`
	AI   map[string]any  `json:"ai"`
}

// next returns the next frame that is no monitor report.
func (s *session) next() (frame, error) {
	for {
		f, err := s.Receive()
		if err != nil {
			return frame{}, err
		}
		fr := frame{Type: int(f.Type), Task: f.Task, Err: f.Error}
		if fr.Type == int(text.Type()) {
			p, err := text.Decode(f)
			if err != nil {
				return fr, err
			}
			fr.Text = json.RawMessage(p.S)
		}
		if fr.Type != int(wire.AgentInfo.Type()) {
			return fr, nil
		}
	}
}

// drain reads until the connection ends, and ends it.
func (s *session) drain() {
	defer s.Close(conn.CodeNormal, "")
	for {
		var bad *conn.FrameError
		if _, err := s.Receive(); err != nil && !errors.As(err, &bad) {
			return
		}
	}
}

type textPayload struct {
	S string `json:"s"`
}

// The messages of the tests' own agent.
var (
	text   = wire.Define[textPayload](30001, "text", "text")
	ask    = wire.Define[textPayload](30000, "ask", "ask")
	echo   = wire.Call[textPayload, textPayload]{Request: ask, Reply: text}
	stream = wire.Define[textPayload](30002, "stream", "stream")
	notice = wire.Define[textPayload](30003, "notice", "notice")
)

// testConf is the config of the tests' own agent.
type testConf struct {
	libagent.Config `kv:"basic"`
	Greeting        string `kv:"greeting"`
}

// testApp is an App made of functions.
type testApp struct {
	setup func(ag *libagent.Agent) error
}

func (a *testApp) Name() string                 { return "test-agent" }
func (a *testApp) Version() string              { return "1.2.3" }
func (a *testApp) NewConfig() libagent.Settings { return &testConf{Greeting: "hello"} }
func (a *testApp) Setup(ag *libagent.Agent) error {
	if a.setup == nil {
		return nil
	}
	return a.setup(ag)
}

// lines is a log that a test looks at.
type lines struct {
	mu    sync.Mutex // guards what follows
	buf   strings.Builder
	wants string      // what is waited for in a line
	found chan string // the line
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wants != "" && strings.Contains(string(p), l.wants) {
		l.wants = ""
		l.found <- string(p)
	}
	return l.buf.Write(p)
}

// waitFor does something and waits for a line that it leads to.
func (l *lines) waitFor(want string, do func()) string {
	found := make(chan string, 1)
	l.mu.Lock()
	l.wants, l.found = want, found
	l.mu.Unlock()
	do()
	return <-found
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) count(s string) int { return strings.Count(l.String(), s) }

// running is an agent that runs in the test.
type running struct {
	t    *testing.T
	log  *lines
	stop func() error
}

// start runs an agent against a server until the test or stop ends it.
func start(t *testing.T, srv *server, app libagent.App, change func(o *libagent.Options, c *testConf)) *running {
	c := &testConf{}
	c.ID = "test-01"
	c.Server = []string{"server-1"}
	c.Reconnect.Spread = -1
	r := &running{t: t, log: &lines{}}
	o := &libagent.Options{
		Config:  c,
		Logger:  slog.New(slog.NewTextHandler(io.MultiWriter(r.log, t.Output()), &slog.HandlerOptions{Level: slog.LevelDebug})),
		NetDial: srv.dial,
	}
	if change != nil {
		change(o, c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- libagent.Run(ctx, app, o) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	return r
}

// end stops agent and server.
func (r *running) end(srv *server) {
	if err := r.stop(); err != nil {
		r.t.Errorf("the agent ended with %v", err)
	}
	srv.stop()
}
