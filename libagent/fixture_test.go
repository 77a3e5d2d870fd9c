package libagent_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// newServer starts a server of agenttest, with a script for each connection if there is one.
func newServer(t *testing.T, serve func(s *session)) *agenttest.Server {
	srv := agenttest.NewServer(t, &agenttest.Options{Patience: time.Hour})
	if serve != nil {
		srv.Respond(scripted(t, serve))
	}
	return srv
}

// scripted answers an agent with a connection over which a test says every word itself, those of the handshake too.
func scripted(t *testing.T, serve func(s *session)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ws/agent" {
			t.Errorf("the agent asked for %s", r.URL.Path)
		}
		c, err := conn.Upgrade(w, r, conn.Options{IdleTimeout: -1})
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		serve(&session{Conn: c, t: t, host: r.Host})
		c.Close(conn.CodeNormal, "")
	})
}

// session is a connection of an agent that a test has scripted.
type session struct {
	*conn.Conn
	t    *testing.T
	host string
	come wire.ComePayload
}

// intervals returns the times between the attempts to connect.
func intervals(srv *agenttest.Server) []time.Duration {
	var d []time.Duration
	all := srv.Attempts()
	for i := 1; i < len(all); i++ {
		d = append(d, all[i].At.Sub(all[i-1].At))
	}
	return d
}

// addresses returns where the agent tried to connect to.
func addresses(srv *agenttest.Server) []string {
	var addrs []string
	for _, a := range srv.Attempts() {
		addrs = append(addrs, a.Addr)
	}
	return addrs
}

// shake answers the agent's come.
func (s *session) shake(h wire.HandshakePayload) {
	s.readCome()
	put(s, wire.Handshake, h)
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
	put(s, wire.Handshake, wire.HandshakePayload{OK: true, ID: s.come.ID})
}

// put sends a message that belongs to no task.
func put[T any](s *session, m *wire.Message[T], v T) {
	b, err := m.Append(nil, "", &v)
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

// next returns the next message that is no monitor report.
func (s *session) next() (*wire.Frame, error) {
	for {
		f, err := s.Receive()
		if err != nil || f.Type != wire.AgentInfo.Type() {
			return f, err
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

// start runs an agent of the tests' own.
func start(t *testing.T, srv *agenttest.Server, app libagent.App, change func(o *libagent.Options, c *testConf)) *agenttest.Agent {
	t.Helper()
	c := &testConf{}
	c.ID, c.Server, c.Reconnect.Spread = "test-01", []string{"server-1"}, -1
	o := &libagent.Options{Config: c}
	if change != nil {
		change(o, c)
	}
	return srv.Start(app, o)
}

// stop stops an agent, in order.
func stop(t *testing.T, ag *agenttest.Agent) {
	t.Helper()
	if err := ag.Stop(); err != nil {
		t.Errorf("the agent ended with %v", err)
	}
}
