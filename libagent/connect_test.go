package libagent_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// about tells whether d is w within 25 % (and some time for what is done in between).
func about(d, w time.Duration) bool { return d >= w*3/4 && d <= w*5/4+50*time.Millisecond }

func TestCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, nil)
		start(t, srv, &testApp{}, nil)
		c := srv.Accept().Come()
		if c.ID != "test-01" || c.Name != "test-agent" || c.Version != "1.2.3" {
			t.Errorf("the server does not know who connected: %+v", c)
		}
		if c.HostName == "" || c.OS == "" || c.Platform == "" || c.KernelVersion == "" || c.Arch == "" || c.CPUCore == 0 || c.Memory == 0 {
			t.Errorf("the operator does not see what host this is: %+v", c)
		}
	})
}

// Whatever a server does instead of shaking hands, the agent says why and tries again at 1, 2, 4, 4 s.
func TestHandshakeFaults(t *testing.T) {
	tests := []struct {
		name  string
		serve func(s *session)
		says  string
		each  time.Duration // what an attempt itself takes
	}{
		{"refused", func(s *session) { s.shake(wire.HandshakePayload{Msg: "no room"}); s.drain() }, "no room", 0},
		{"no body", func(s *session) { s.readCome(); s.raw(`{"type":2}`); s.drain() }, "payload", 0},
		{"null body", func(s *session) { s.readCome(); s.raw(`{"type":2,"handshake":null}`); s.drain() }, "payload", 0},
		{"body of wrong type", func(s *session) { s.readCome(); s.raw(`{"type":2,"handshake":[1]}`); s.drain() }, "handshake", 0},
		{"field of wrong type", func(s *session) { s.readCome(); s.raw(`{"type":2,"handshake":{"ok":"yes"}}`); s.drain() }, "ok", 0},
		{"other message", func(s *session) { s.readCome(); s.raw(`{"type":8,"tid":"x"}`); s.drain() }, "type 8", 0},
		{"no JSON", func(s *session) { s.readCome(); s.raw(`hello`); s.drain() }, "handshake", 0},
		{"invalid UTF-8", func(s *session) { s.readCome(); s.raw("{\"type\":2,\"x\":\"\xff\"}"); s.drain() }, "UTF-8", 0},
		{"assigned id that is a path", func(s *session) {
			s.shake(wire.HandshakePayload{OK: true, ID: "../../etc/passwd"})
			s.drain()
		}, "id", 0},
		{"closed with a reason", func(s *session) { s.readCome(); s.Close(1008, "go away") }, "go away", 0},
		{"nothing for a minute", func(s *session) { s.readCome(); s.drain() }, "1m0s", time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newServer(t, tt.serve)
				ag := start(t, srv, &testApp{}, nil)
				time.Sleep(16*time.Second + 5*tt.each)
				synctest.Wait()
				stop(t, ag)
				got := intervals(srv)
				for i, want := range []time.Duration{1, 2, 4, 4} {
					if i >= len(got) || got[i]-tt.each < want*time.Second*3/4 || got[i]-tt.each > want*time.Second*5/4+time.Second/10 {
						t.Fatalf("attempts after %v: want 1, 2, 4, 4 s, each ±25 %%", got)
					}
				}
				if !strings.Contains(ag.Log(), tt.says) {
					t.Errorf("the log does not say why: want %q in\n%s", tt.says, ag.Log())
				}
			})
		})
	}
}

// A fleet whose server is away must not hammer it.
func TestBackoffWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, nil)
		srv.Down(true)
		ag := start(t, srv, &testApp{}, nil)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		got := intervals(srv)
		for i, want := range []time.Duration{1, 2, 4, 4, 4} {
			if !about(got[i], want*time.Second) {
				t.Fatalf("attempts after %v: want 1, 2, 4, 4, 4 s, each ±25 %%", got[:5])
			}
		}
		if slices.Max(got) > 5*time.Second+time.Millisecond {
			t.Errorf("the agent waited %v: it would be back late", slices.Max(got))
		}
		if n := strings.Count(ag.Log(), "cannot connect"); n > 11 {
			t.Errorf("ten minutes without server wrote the same line %d times", n)
		}
		srv.Down(false)
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if strings.Count(ag.Log(), "msg=connected") != 1 {
			t.Errorf("the agent did not come back:\n%s", ag.Log())
		}
		stop(t, ag)
	})
}

// After the loss of its server a fleet comes back spread over 1 to 4 s; a connection that did not last does not start
// the steps again.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lasts := 20 * time.Second
		srv := newServer(t, func(s *session) {
			s.accept()
			time.AfterFunc(lasts, func() { s.Close(conn.CodeGoingAway, "bye") })
			s.drain()
		})
		ag := start(t, srv, &testApp{}, func(_ *libagent.Options, c *testConf) { c.Reconnect.Spread = 3 * time.Second })
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		var least, most time.Duration = time.Hour, 0
		for _, d := range intervals(srv) {
			least, most = min(least, d-lasts), max(most, d-lasts)
		}
		if least < time.Second || most > 4*time.Second+200*time.Millisecond || most-least < time.Second {
			t.Errorf("the agent came back after %v to %v: want 1 s and a spread of 3 s", least, most)
		}
		stop(t, ag)
	})
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, func(s *session) { s.accept(); s.Close(conn.CodeGoingAway, "bye") })
		ag := start(t, srv, &testApp{}, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(intervals(srv)); n > 18 {
			t.Errorf("a server that closes every connection at once was asked %d times a minute", n)
		}
		stop(t, ag)
	})
}

// A server that answers nothing more is noticed within three heartbeats.
func TestFrozenServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, nil)
		ag := start(t, srv, &testApp{}, nil)
		line := srv.Accept()
		synctest.Wait() // the agent has read the handshake
		line.Freeze(true)
		time.Sleep(36 * time.Second)
		synctest.Wait()
		if strings.Count(ag.Log(), "connection lost") != 1 || strings.Count(ag.Log(), "msg=connected") != 2 {
			t.Errorf("the frozen server was not noticed:\n%s", ag.Log())
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, nil)
		srv.Respond(status(http.StatusServiceUnavailable, "Retry-After", "30"))
		ag := start(t, srv, &testApp{}, nil)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		for _, d := range intervals(srv) {
			if d < 30*time.Second || d > 34*time.Second {
				t.Errorf("asked to wait 30 s, the agent came after %v", d)
			}
		}
		if strings.Count(ag.Log(), "503") == 0 {
			t.Errorf("the log does not say what the server answered:\n%s", ag.Log())
		}
		stop(t, ag)
	})
}

// Two agents with one id must not fight for it every second.
func TestConflictIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, nil)
		srv.Refuse("agent id conflict")
		ag := start(t, srv, &testApp{}, nil)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		for _, d := range intervals(srv) {
			if d < 10*time.Second {
				t.Errorf("tried again after %v", d)
			}
		}
		if strings.Count(ag.Log(), "agent id conflict") == 0 {
			t.Error("the log does not tell the operator of the conflict")
		}
		stop(t, ag)
	})
}

func TestRedirect(t *testing.T) {
	follow := func(t *testing.T, to string, allow ...string) []string {
		var addrs []string
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t, nil)
			srv.Shake(func(s *agenttest.Session) wire.HandshakePayload {
				if s.Host() == "server-1:13081" {
					return wire.HandshakePayload{Redirect: []string{to}}
				}
				return wire.HandshakePayload{OK: true, ID: "test-01"}
			})
			ag := start(t, srv, &testApp{}, func(_ *libagent.Options, c *testConf) { c.Redirect.Allow = allow })
			time.Sleep(3 * time.Second)
			synctest.Wait()
			stop(t, ag)
			addrs = addresses(srv)
		})
		return addrs
	}
	if got := follow(t, "n2.example.com:13081", "*.example.com"); !slices.Equal(got, []string{"server-1:13081", "n2.example.com:13081"}) {
		t.Errorf("an allowed redirect led to %v", got)
	}
	for _, to := range []string{"evil.com", "example.com.evil.com", "xexample.com", "http://n2.example.com", ""} {
		for _, addr := range follow(t, to, "*.example.com") {
			if addr != "server-1:13081" {
				t.Errorf("a redirect to %q led the agent to %q: whoever speaks for a server owns the host", to, addr)
			}
		}
	}
	if got := follow(t, "server-1"); len(got) < 2 || len(got) > 4 {
		t.Errorf("a redirect in a circle made %d connections in 3 s", len(got))
	}
}

// Several servers are tried in turn, without waiting between them.
func TestSeveralServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := scripted(t, func(s *session) { s.accept(); s.drain() })
		srv := newServer(t, nil)
		srv.Respond(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "server-3:9" {
				http.Error(w, "not here", http.StatusNotFound)
				return
			}
			script.ServeHTTP(w, r)
		}))
		begin := time.Now()
		ag := start(t, srv, &testApp{}, func(_ *libagent.Options, c *testConf) {
			c.Server = []string{"server-1", "[::1]", "server-3:9"}
		})
		time.Sleep(time.Second / 2)
		synctest.Wait()
		if strings.Count(ag.Log(), "msg=connected") != 1 {
			t.Errorf("after %v not connected:\n%s", time.Since(begin), ag.Log())
		}
		stop(t, ag)
		if want := []string{"server-1:13081", "[::1]:13081", "server-3:9"}; !slices.Equal(addresses(srv), want) {
			t.Errorf("tried %v, want %v", addresses(srv), want)
		}
	})
}
