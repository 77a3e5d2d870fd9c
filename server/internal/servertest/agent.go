package servertest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Agent is an agent that does what a test says.
type Agent struct {
	ID     string
	conn   *conn.Conn
	done   chan struct{} // closed when nothing more is received
	beaten chan struct{} // closed when no ping is sent any more
}

// Ask is what an agent was asked.
type Ask struct {
	*Agent
	*wire.Frame
}

// Connect connects an agent of the field, or with features one of ours. Answer is called for each frame, one after the other;
// a frame is good until it returns.
func (s *Server) Connect(t testing.TB, id, kind string, features []string, answer func(Ask)) *Agent {
	t.Helper()
	return s.ConnectAs(t, wire.ComePayload{ID: id, Name: kind, OS: "linux", Features: features}, answer)
}

// ConnectAs is Connect for an agent that says of itself what the test wants. Its host is the same for all.
func (s *Server) ConnectAs(t testing.TB, come wire.ComePayload, answer func(Ask)) *Agent {
	t.Helper()
	return s.ConnectWith(t, conn.Dialer{}, come, answer)
}

// ConnectWith is ConnectAs over a connection that is made as the test wants.
func (s *Server) ConnectWith(t testing.TB, d conn.Dialer, come wire.ComePayload, answer func(Ask)) *Agent {
	t.Helper()
	come.Version, come.HostName, come.Platform, come.Arch = "1.0.0", "host-01", "debian", "x86_64"
	come.IP, come.MAC = net.IPv4(192, 0, 2, 10), "02:00:c0:00:02:0a"
	c, err := d.Dial(t.Context(), "ws://"+s.AgentAddr().String()+"/ws/agent")
	if err != nil {
		t.Fatal(err)
	}
	a := &Agent{ID: come.ID, conn: c, done: make(chan struct{}), beaten: make(chan struct{})}
	Send(t, a, wire.Come, "", come)
	f, err := c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	if h, err := wire.Handshake.Decode(f); err != nil || !h.OK {
		t.Fatalf("handshake: %+v, %v", h, err)
	}
	go func() {
		defer close(a.done)
		for {
			f, err := c.Receive()
			if err != nil {
				return
			}
			answer(Ask{a, f})
		}
	}()
	go a.beat()
	t.Cleanup(a.Leave)
	return a
}

// Leave ends the connection; it may be called twice.
func (a *Agent) Leave() {
	a.conn.Close(conn.CodeNormal, "")
	<-a.done
	<-a.beaten
}

// beat sends a ping every 10 s, as agents do: a test that a busy machine holds up for long keeps its agent.
func (a *Agent) beat() {
	defer close(a.beaten)
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = a.conn.SendPing(context.Background()) // that the connection has ended is no error
		case <-a.done:
			return
		}
	}
}

// Send sends a message.
func Send[T any](t testing.TB, a *Agent, m *wire.Message[T], task string, v T) {
	t.Helper()
	b, err := m.Append(nil, task, &v)
	if err != nil {
		t.Error(err)
		return
	}
	a.SendRaw(string(b))
}

// SendRaw sends a frame. That the connection has ended is no error.
func (a *Agent) SendRaw(frame string) {
	_ = a.conn.Send(context.Background(), conn.Bulk, []byte(frame))
}

// Decode returns what an agent was asked.
func Decode[T any](t testing.TB, f *wire.Frame, m *wire.Message[T]) T {
	t.Helper()
	v, err := m.Decode(f)
	if err != nil {
		t.Errorf("%s: %v", m.Name(), err)
	}
	return v
}
