package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

const conflict = "agent id conflict"

// An id that is in use must not be taken from the agent that has it.
func TestConflict(t *testing.T) {
	f := start(t, server.Config{})
	first := f.agent(t, "x", "exec-agent")
	second := f.connect(t, conn.Options{})
	if h := shake(t, second, come("x", "exec-agent")); h.OK || h.ID != "" || h.Msg != conflict {
		t.Errorf("answer %+v, want a conflict", h)
	}
	if bye := closed(t, second); bye.Code != conn.CodePolicy {
		t.Errorf("closed with %v, want 1008", bye)
	}
	serve(first, bar)
	if _, err := server.Call(t.Context(), f, "x", wire.Foo, wire.Empty{}); err != nil {
		t.Errorf("the first agent: %v", err)
	}
}

// An agent that was silent for a while, and answers when it is asked, is alive.
func TestConflictAfterProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		serve(f.agent(t, "x", "exec-agent"), bar) // its receiving answers pings
		time.Sleep(20 * time.Second)
		if h := shake(t, f.connect(t, conn.Options{}), come("x", "exec-agent")); h.OK || h.Msg != conflict {
			t.Errorf("answer %+v, want a conflict", h)
		}
	})
}

// frozen is an agent whose kernel takes everything, and whose process does nothing any more. The channel is closed when
// the server has ended its connection.
func frozen(t testing.TB, f *fixture, id string) (c net.Conn, ended <-chan struct{}) {
	t.Helper()
	c = upgrade(t, f)
	writeFrame(t, c, 1, comeFrame(fmt.Sprintf("%q", id)))
	if _, text := readFrame(t, c); text != `{"type":2,"handshake":{"ok":true,"id":"`+id+`","msg":""}}` {
		t.Fatal(text)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		io.Copy(io.Discard, c)
	}()
	t.Cleanup(func() {
		c.Close()
		<-over
	})
	return c, over
}

// The id of an agent that has frozen must not stay locked: the next one that wants it gets it after a probe of 5 s.
func TestTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		_, ended := frozen(t, f, "x")
		time.Sleep(13 * time.Second)

		answers := make(chan wire.HandshakePayload)
		began := time.Now()
		winner := f.connect(t, conn.Options{})
		go func() { answers <- shake(t, winner, come("x", "exec-agent")) }()
		synctest.Wait() // it probes now
		if h := shake(t, f.connect(t, conn.Options{}), come("x", "exec-agent")); h.OK || h.Msg != conflict {
			t.Errorf("while another one probes: answer %+v, want a conflict", h)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the other one was told after %v", took)
		}
		h := <-answers
		if took := time.Since(began); !h.OK || h.ID != "x" || took != 5*time.Second {
			t.Errorf("answer %+v after %v, want a takeover after 5 s", h, took)
		}
		<-ended
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("the connection of the loser was ended after %v", took)
		}
		synctest.Wait()
		serve(winner, bar)
		if _, err := server.Call(context.Background(), f, "x", wire.Foo, wire.Empty{}); err != nil {
			t.Errorf("the winner: %v", err)
		}
		if n := f.metric(t, `agent_server_handshakes_total{result="takeover"}`); n != "1" {
			t.Errorf("%q takeovers counted, want 1", n)
		}
		if n := f.metric(t, "agent_count"); n != "1" {
			t.Errorf("%q agents, want 1", n)
		}
	})
}

// Calls to the agent that has lost its id end at once.
func TestTakeoverEndsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		frozen(t, f, "x")
		time.Sleep(13 * time.Second)
		began := time.Now()
		errs := make(chan error)
		go func() {
			_, err := server.Call(context.Background(), f, "x", wire.Foo, wire.Empty{})
			errs <- err
		}()
		synctest.Wait()
		go shake(t, f.connect(t, conn.Options{}), come("x", "exec-agent"))
		wantErr(t, <-errs, server.ErrGone)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the call ended after %v, the takeover takes 5 s", took)
		}
		synctest.Wait()
	})
}

// An agent that leaves while somebody asks whether it is alive has left, and was not replaced.
func TestProbedAgentLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		c, _ := frozen(t, f, "x")
		time.Sleep(13 * time.Second)
		answers := make(chan wire.HandshakePayload)
		next := f.connect(t, conn.Options{})
		began := time.Now()
		go func() { answers <- shake(t, next, come("x", "exec-agent")) }()
		synctest.Wait() // it probes now
		c.Close()
		if h := <-answers; !h.OK || time.Since(began) > time.Second {
			t.Errorf("answer %+v after %v", h, time.Since(began))
		}
		synctest.Wait()
		if n := f.metric(t, `agent_server_handshakes_total{result="takeover"}`); n != "" {
			t.Errorf("%s takeovers counted, want none", n)
		}
		if n := f.metric(t, "agent_server_received_frames_total"); n != "2" {
			t.Errorf("%s frames counted, want the two with come", n)
		}
	})
}

// An agent that says nothing for three heartbeats is gone, and its id free.
func TestFrozenAgentLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		_, ended := frozen(t, f, "x")
		time.Sleep(30*time.Second - time.Millisecond)
		if _, err := f.Get(context.Background(), "x"); err != nil {
			t.Errorf("before 30 s: %v", err)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		_, err := f.Get(context.Background(), "x")
		wantErr(t, err, server.ErrNotFound)
		<-ended
	})
}

// Of fifty connections with one id, that come at once, exactly one wins, and the others are told why not: whether the
// id is free, or belongs to an agent that has frozen.
func TestOneOfFifty(t *testing.T) {
	t.Run("free id", func(t *testing.T) {
		f := start(t, server.Config{ConnectLimit: -1})
		var rounds sync.WaitGroup
		for worker := range 10 {
			rounds.Go(func() {
				for round := range 10 {
					rush(t, f, fmt.Sprintf("x-%d-%d", worker, round))
				}
			})
		}
		rounds.Wait()
	})
	t.Run("id of a frozen agent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := startInMemory(t, server.Config{ConnectLimit: -1})
			frozen(t, f, "x")
			time.Sleep(13 * time.Second)
			rush(t, f, "x")
		})
	})
}

// rush has fifty agents come with one id.
func rush(t *testing.T, f *fixture, id string) {
	t.Helper()
	var (
		mu      sync.Mutex
		winners []*conn.Conn
		all     sync.WaitGroup
	)
	for range 50 {
		all.Go(func() {
			c, err := f.tryConnect(conn.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			h := shake(t, c, come(id, "exec-agent"))
			switch {
			case h.OK && h.ID == id:
				mu.Lock()
				defer mu.Unlock()
				winners = append(winners, c)
				return
			case h.Msg != conflict:
				t.Errorf("answer %+v, want %q", h, conflict)
			}
			c.Close(conn.CodeNormal, "")
		})
	}
	all.Wait()
	if len(winners) != 1 {
		t.Errorf("%d of 50 agents with one id won, want 1", len(winners))
	}
	for _, c := range winners {
		c.Close(conn.CodeNormal, "")
	}
}

// The id of an agent that took nothing any more, and has left, is free although the server is still about to say goodbye.
func TestIDFreeWhileClosing(t *testing.T) {
	f := start(t, server.Config{})
	c := upgrade(t, f)
	defer c.Close()
	writeFrame(t, c, 1, comeFrame(`"x"`))
	readFrame(t, c)
	called := make(chan error)
	go func() { // more than any socket buffers
		_, err := call(context.Background(), f, "x", strings.Repeat("x", 15<<20))
		called <- err
	}()
	for { // until the call is stuck
		if a, err := f.Get(t.Context(), "x"); err != nil || a.Busy {
			break
		}
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	next := upgrade(t, f)
	defer next.Close()
	writeFrame(t, next, 1, comeFrame(`"x"`))
	if _, text := readFrame(t, next); text != `{"type":2,"handshake":{"ok":true,"id":"x","msg":""}}` {
		t.Errorf("answer %s", text)
	}
	wantErr(t, <-called, server.ErrGone)
}

// An agent that has left may come back at once.
func TestIDFreeAfterClose(t *testing.T) {
	f := start(t, server.Config{})
	for _, tt := range []struct {
		name  string
		leave func(net.Conn)
	}{
		{"end of the connection", func(c net.Conn) { c.Close() }},
		{"reset", func(c net.Conn) {
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}},
		{"half closed", func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }},
		{"goodbye", func(c net.Conn) { writeFrame(t, c, 8, "\x03\xe8") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 20 {
				c := upgrade(t, f)
				defer c.Close()
				writeFrame(t, c, 1, comeFrame(`"x"`))
				if _, text := readFrame(t, c); text != `{"type":2,"handshake":{"ok":true,"id":"x","msg":""}}` {
					t.Fatalf("answer %s", text)
				}
				tt.leave(c)
			}
		})
	}
}
