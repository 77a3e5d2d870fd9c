package libagent_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// An id that a server assigns must not be a way into the agent's environment: in the file it would be a variable.
func TestAssignedVariable(t *testing.T) {
	t.Setenv("MY_SECRET", "hunter2")
	for _, id := range []string{"$MY_SECRET", "${MY_SECRET}", "a$b"} {
		file := write(t, "agent.conf", "basic.id =\nbasic.server = s\n")
		synctest.Test(t, func(t *testing.T) {
			srv := newServer(t, func(s *session) { s.shake(wire.HandshakePayload{OK: true, ID: id}); s.drain() })
			ag := start(t, srv, &testApp{}, func(o *libagent.Options, _ *testConf) { o.Config, o.ConfigFile = nil, file })
			time.Sleep(3 * time.Second)
			stop(t, ag)
			if strings.Count(ag.Log(), "msg=connected") != 0 || !strings.Contains(ag.Log(), "holds a $") {
				t.Errorf("the agent took the id %q:\n%s", id, ag.Log())
			}
		})
	}
}

// The error of a task comes after the replies that were sent before it.
func TestErrorIsLast(t *testing.T) {
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.HandleStream(ag, stream, func(_ context.Context, task *libagent.Task, _ textPayload) error {
			for i := range 200 {
				if err := libagent.Reply(task, text, textPayload{fmt.Sprint(i)}); err != nil {
					return err
				}
			}
			return errors.New("broken off")
		})
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, _ *agenttest.Agent) {
		s.SendRaw(`{"type":30002,"tid":"t","stream":{}}`)
		for i := range 200 {
			expect(t, s, fmt.Sprintf("30001 t %d", i))
		}
		expect(t, s, "0 t broken off")
	})
}

// Requests that wait are bounded in bytes too.
func TestPendingBytes(t *testing.T) {
	release := make(chan struct{})
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.Handle(ag, echo, func(_ context.Context, q textPayload) (textPayload, error) {
			<-release
			return textPayload{"done"}, nil
		})
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, _ *agenttest.Agent) {
		release = make(chan struct{}) // of this bubble
		big := strings.Repeat("x", 8<<20)
		for i := range 10 {
			s.SendRaw(fmt.Sprintf(`{"type":30000,"tid":"t%d","ask":{"s":%q}}`, i, big))
		}
		for range 3 { // seven are within 64 MiB
			expect(t, s, "too many requests of type ask at once")
		}
		close(release)
		for range 7 {
			expect(t, s, "30001 t")
		}
	})
}

// A message that the server never takes is given up, and does not hold up what waits behind it for ever.
func TestPoisonMessage(t *testing.T) {
	t.Run("kept", func(t *testing.T) { poison(t, text) })
	t.Run("newest", func(t *testing.T) { poison(t, wire.Define[textPayload](30005, "now", "now", wire.Newest)) })
}

func poison(t *testing.T, m *wire.Message[textPayload]) {
	synctest.Test(t, func(t *testing.T) {
		behind := make(chan string, 10)
		srv := newServer(t, nil)
		srv.Respond(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close() // at once, with what the agent sends unread
			c.SetReadLimit(1 << 20)
			for {
				_, data, err := c.ReadMessage()
				if err != nil {
					return
				}
				switch {
				case strings.HasPrefix(string(data), `{"type":1,`):
					if err := c.WriteMessage(websocket.TextMessage, []byte(`{"type":2,"handshake":{"ok":true,"id":"test-01","msg":""}}`)); err != nil {
						return
					}
				case strings.Contains(string(data), "behind"):
					select {
					case behind <- "behind":
					default:
					}
				}
			}
		}))
		app := &testApp{setup: func(ag *libagent.Agent) error {
			err := libagent.Emit(context.Background(), ag, m, textPayload{strings.Repeat("x", 8<<20)})
			ag.Every("behind", time.Second, func(ctx context.Context, ag *libagent.Agent) error {
				return libagent.Emit(ctx, ag, text, textPayload{"behind"})
			})
			return err
		}}
		ag := start(t, srv, app, nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(behind) == 0 || <-behind != "behind" {
			t.Errorf("what waits behind a message that is too big is never sent:\n%.2000s", ag.Log())
		}
		if strings.Count(ag.Log(), "message given up") != 1 {
			t.Errorf("the log does not say that a message was given up:\n%.2000s", ag.Log())
		}
		stop(t, ag)
	})
}

// With several servers, each is left alone for as long as it wants.
func TestRetryAfterOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, nil)
		srv.Respond(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "a:1" {
				w.Header().Set("Retry-After", "60")
			}
			http.Error(w, "no", http.StatusServiceUnavailable)
		}))
		ag := start(t, srv, &testApp{}, func(_ *libagent.Options, c *testConf) { c.Server = []string{"a:1", "b:1"} })
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		stop(t, ag)
		asked := make(map[string]int)
		for _, addr := range addresses(srv) {
			asked[addr]++
		}
		if asked["a:1"] > 10 || asked["b:1"] < 100 {
			t.Errorf("in ten minutes the servers were asked %v times: a wants to be left alone for a minute, b does not", asked)
		}
		if n := strings.Count(ag.Log(), "cannot connect"); n > 24 {
			t.Errorf("%d lines about it", n)
		}
	})
}

// A hostile server must not fill the disk of the host with the log.
func TestLogFlood(t *testing.T) {
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.Handle(ag, echo, func(_ context.Context, q textPayload) (textPayload, error) { return q, nil })
		return nil
	}}
	inBubble(t, app, func(s *agenttest.Session, ag *agenttest.Agent) {
		noise := strings.Repeat("x", 50_000)
		for i := range 300 {
			s.SendRaw(fmt.Sprintf(`{"type":0,"errmsg":%q}`, noise))
			s.SendRaw(fmt.Sprintf(`{"type":30000,"ask":[%d]}`, i))
			s.SendRaw(`{"type":30000,"x":` + noise)
		}
		s.SendRaw(`{"type":30000,"tid":"after","ask":{"s":"alive"}}`)
		expect(t, s, "30001 after alive")
		if n := len(ag.Log()); n > 100_000 {
			t.Errorf("the log has %d bytes", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		srv := newServer(t, nil)
		srv.Refuse(strings.Repeat("x", 1<<20))
		ag := start(t, srv, &testApp{}, nil)
		time.Sleep(10 * time.Second)
		stop(t, ag)
		if n := len(ag.Log()); n > 10_000 {
			t.Errorf("refusals wrote %d bytes", n)
		}
	})
}

// blockingApp does not return from one of its callbacks.
type blockingApp struct {
	testApp
	where   string
	release chan struct{}
}

func (a *blockingApp) block(where string) {
	if where == a.where {
		<-a.release
	}
}

func (a *blockingApp) Setup(*libagent.Agent) error                          { a.block("Setup"); return nil }
func (a *blockingApp) Connected(context.Context, *libagent.Agent)           { a.block("Connected") }
func (a *blockingApp) Disconnected(context.Context, *libagent.Agent, error) { a.block("Disconnected") }
func (a *blockingApp) Report(context.Context, *libagent.Agent) error        { a.block("Report"); return nil }
func (a *blockingApp) Stop(context.Context, *libagent.Agent) error          { a.block("Stop"); return nil }
func (a *blockingApp) Reload(*libagent.Agent, libagent.Settings, libagent.Settings) error {
	a.block("Reload")
	return nil
}

// A callback that never returns neither keeps the agent from coming back nor from stopping, and the error names it.
func TestBlockedCallbacks(t *testing.T) {
	for _, where := range []string{"Setup", "Connected", "Disconnected", "Report", "Reload", "Stop"} {
		t.Run(where, func(t *testing.T) {
			file := write(t, "agent.conf", "basic.id = a\nbasic.server = s\n")
			synctest.Test(t, func(t *testing.T) {
				app := &blockingApp{where: where, release: make(chan struct{})}
				var visits atomic.Int64
				srv := newServer(t, func(s *session) {
					s.accept()
					visits.Add(1)
					time.AfterFunc(15*time.Second, func() { s.Close(conn.CodeGoingAway, "") })
					s.drain()
				})
				reload := make(chan struct{}, 1)
				reload <- struct{}{}
				ag := start(t, srv, app, func(o *libagent.Options, _ *testConf) {
					o.Config, o.ConfigFile, o.Reload = nil, file, reload
				})
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				if n := visits.Load(); where != "Setup" && n < 3 {
					t.Errorf("%d connections in two minutes", n)
				}
				begin := time.Now()
				err := ag.Stop()
				if took := time.Since(begin); took > 5*time.Second {
					t.Errorf("stopping took %v", took)
				}
				if named := map[string]string{"Setup": "set up"}[where]; err == nil || !strings.Contains(err.Error(), cmp.Or(named, where)) {
					t.Errorf("the error does not name %s: %v", where, err)
				}
				close(app.release)
			})
		})
	}
}

// A stream that waits for a server that is away does not keep the agent from stopping in order.
func TestStopWithFullOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &testApp{setup: func(ag *libagent.Agent) error {
			libagent.HandleStream(ag, stream, func(_ context.Context, task *libagent.Task, _ textPayload) error {
				for {
					if err := libagent.Reply(task, text, textPayload{strings.Repeat("x", 100_000)}); err != nil {
						return err
					}
				}
			})
			return nil
		}}
		srv := newServer(t, nil)
		ag := start(t, srv, app, nil)
		s := srv.Accept()
		srv.Down(true)
		agenttest.SendTask(s, "t", stream, textPayload{})
		s.Close("")
		time.Sleep(time.Minute)
		begin := time.Now()
		if err := ag.Stop(); err != nil {
			t.Errorf("Run returned %v", err)
		}
		if took := time.Since(begin); took > 4*time.Second {
			t.Errorf("stopping took %v", took)
		}
	})
}

// A large message gets its turn behind small ones.
func TestNoStarvation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := make(chan time.Duration, 1)
		app := &testApp{setup: func(ag *libagent.Agent) error {
			for i := range 4 {
				ag.Every(fmt.Sprint("small", i), time.Second, func(ctx context.Context, ag *libagent.Agent) error {
					for ctx.Err() == nil {
						if err := libagent.Emit(ctx, ag, text, textPayload{strings.Repeat("x", 10_000)}); err != nil {
							return err
						}
					}
					return nil
				})
			}
			ag.Every("large", 5*time.Second, func(ctx context.Context, ag *libagent.Agent) error {
				begin := time.Now()
				err := libagent.Emit(ctx, ag, text, textPayload{strings.Repeat("x", 2<<20)})
				select {
				case in <- time.Since(begin):
				default:
				}
				return err
			})
			return nil
		}}
		srv := newServer(t, func(s *session) {
			s.accept()
			defer s.Close(conn.CodeNormal, "")
			for range 1200 {
				if _, err := s.Receive(); err != nil {
					return
				}
				time.Sleep(25 * time.Millisecond)
			}
		})
		ag := start(t, srv, app, nil)
		time.Sleep(20 * time.Second)
		select {
		case d := <-in:
			t.Logf("a large message waited %v", d)
		default:
			t.Error("a large message never got its turn")
		}
		stop(t, ag)
	})
}
