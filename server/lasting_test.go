package server_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// begun is a request that outlives connections: what is taken, and how to end it.
type begun struct {
	c    *conn.Conn
	task string
	took chan int64
	end  func()
}

func begin(t *testing.T, f *fixture) *begun {
	t.Helper()
	b := &begun{c: f.agent(t, "host-17", "exec-agent"), took: make(chan int64, 10)}
	var err error
	b.end, err = f.Begin(t.Context(), "host-17",
		func(buf []byte, task string) ([]byte, error) {
			return wire.Exec.Append(buf, task, &wire.ExecPayload{Cmd: "true"})
		},
		func(frame *wire.Frame) bool {
			p, err := wire.ExecDone.Decode(frame)
			if err != nil {
				panic(err)
			}
			b.took <- p.Code
			return p.Code == 0
		})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.end)
	frame, err := b.c.Receive()
	if err != nil {
		t.Fatal(err)
	}
	b.task = frame.Task
	return b
}

func (b *begun) done(t *testing.T, c *conn.Conn, code int64) {
	t.Helper()
	send(t, c, wire.ExecDone, b.task, wire.ExecDonePayload{Code: code})
}

// A result that comes after a reconnect reaches whoever waits for it, and nobody else's does.
func TestBeginOutlivesConnection(t *testing.T) {
	f := start(t, server.Config{})
	b := begin(t, f)
	b.done(t, b.c, 1)
	if got := <-b.took; got != 1 {
		t.Errorf("took %d", got)
	}
	b.c.Close(conn.CodeNormal, "")

	other := f.agent(t, "host-18", "exec-agent")
	b.done(t, other, 66)
	send(t, other, wire.Foo.Request, "", wire.Empty{}) // dropped, and counted once the frame before has been handled
	waitFor(t, f, `agent_server_dropped_frames_total{type="foo (8)"}`, "1")

	again := f.agent(t, "host-17", "exec-agent")
	b.done(t, again, 2)
	b.done(t, again, 0)
	b.done(t, again, 3) // after the last
	if one, two := <-b.took, <-b.took; one != 2 || two != 0 {
		t.Errorf("took %d, %d", one, two)
	}
	waitFor(t, f, "agent_server_late_replies_total", "2")
	if len(b.took) != 0 {
		t.Errorf("took %d more", len(b.took))
	}
}

// What is ended takes nothing; what panics harms nothing else.
func TestBeginEnds(t *testing.T) {
	f := start(t, server.Config{})
	b := begin(t, f)
	b.end()
	b.done(t, b.c, 0)
	waitFor(t, f, "agent_server_late_replies_total", "1")
	b.c.Close(conn.CodeNormal, "")

	b = begin(t, f)
	sendRaw(t, b.c, `{"type":13,"tid":"`+b.task+`","exec_done":7}`)
	b.done(t, b.c, 0)
	waitFor(t, f, "agent_server_late_replies_total", "2")
	if len(b.took) != 0 {
		t.Error("took something after a panic")
	}
	if _, err := f.Begin(t.Context(), "nobody", nil, nil); err != server.ErrNotFound {
		t.Errorf("unknown agent: %v", err)
	}
}
