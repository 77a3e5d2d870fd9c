package agenttest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

type note struct {
	Text string `json:"text"`
}

// The messages of the tests' agent.
var (
	shout = wire.Call[note, note]{Request: wire.Define[note](30000, "shout", "shout"), Reply: wire.Define[note](30001, "shouted", "shouted")}
	count = wire.Define[note](30002, "count", "count")
	tick  = wire.Define[note](30003, "tick", "tick")
)

type conf struct {
	libagent.Config `kv:"basic"`
}

// app shouts, counts and ticks.
type app struct{}

func (app) Name() string    { return "tested-agent" }
func (app) Version() string { return "1.0.0" }
func (app) NewConfig() libagent.Settings {
	return &conf{libagent.Config{Reconnect: libagent.ReconnectConfig{Spread: -1}}}
}
func (app) Setup(ag *libagent.Agent) error {
	libagent.Handle(ag, shout, func(_ context.Context, n note) (note, error) {
		if n.Text == "" {
			return n, errors.New("nothing to shout")
		}
		return note{strings.ToUpper(n.Text)}, nil
	})
	libagent.HandleStream(ag, count, func(_ context.Context, t *libagent.Task, _ note) error {
		defer t.Close()
		for i := range 3 {
			if err := libagent.Reply(t, shout.Reply, note{fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	ag.Every("tick", time.Hour, func(ctx context.Context, ag *libagent.Agent) error {
		return libagent.Emit(ctx, ag, tick, note{"tock"})
	})
	return nil
}

// What an author tests first: a request, a stream, an error, and what the agent says unasked.
func TestConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, &agenttest.Options{Patience: 2 * time.Hour})
		srv.Start(app{}, nil)
		s := srv.Accept()
		if c := s.Come(); c.Name != "tested-agent" || c.ID != "" {
			t.Errorf("come: %+v", c)
		}
		if r, err := agenttest.Call(s, shout, note{"hi"}); err != nil || r.Text != "HI" {
			t.Errorf("answer %q, %v", r.Text, err)
		}
		var te *agenttest.TaskError
		if _, err := agenttest.Call(s, shout, note{}); !errors.As(err, &te) || te.Msg != "nothing to shout" {
			t.Errorf("the agent's error is %v", err)
		}
		first, second := agenttest.Send(s, count, note{}), agenttest.Send(s, shout.Request, note{"beside"})
		if r, err := agenttest.Reply(s, second, shout.Reply); err != nil || r.Text != "BESIDE" {
			t.Errorf("answer %q, %v", r.Text, err)
		}
		for i := range 3 {
			if r, err := agenttest.Reply(s, first, shout.Reply); err != nil || r.Text != fmt.Sprint(i) {
				t.Errorf("reply %d: %q, %v", i, r.Text, err)
			}
		}
		begin := time.Now()
		if n := agenttest.Wait(s, tick); n.Text != "tock" || time.Since(begin) < 50*time.Minute {
			t.Errorf("%q after %v", n.Text, time.Since(begin))
		}
		if ai := agenttest.Wait(s, wire.AgentInfo); ai.Version != "1.0.0" {
			t.Errorf("report: %+v", ai)
		}
	})
}

// What can be done to an agent: it comes back from all of it.
func TestFaults(t *testing.T) {
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old=%v", old), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := agenttest.NewServer(t, &agenttest.Options{Old: old})
				ag := srv.Start(app{}, nil)
				s := srv.Accept()
				back := func(after string, atLeast, atMost time.Duration) {
					t.Helper()
					begin := time.Now()
					s = srv.Accept()
					if took := time.Since(begin); took < atLeast || took > atMost {
						t.Errorf("after %s back within %v", after, took)
					}
					if _, err := agenttest.Call(s, shout, note{"x"}); err != nil {
						t.Errorf("after %s: %v", after, err)
					}
				}
				s.Drop()
				back("a drop", 500*time.Millisecond, 2*time.Second)
				s.Close("stops")
				back("a stop", 500*time.Millisecond, 4*time.Second)
				if told := strings.Contains(ag.Log(), "stops"); told == old {
					t.Errorf("the agent was told why: %v", told)
				}
				frozen := s
				s.Freeze(true)
				back("a freeze", 20*time.Second, 45*time.Second)
				frozen.Freeze(false)
				if err := frozen.Done(); err == nil {
					t.Error("the frozen connection stands")
				}
				srv.Freeze(true)
				time.Sleep(2 * time.Minute)
				if s.Connected() == false {
					t.Error("the server hears of the agent's end through a network that is cut")
				}
				srv.Freeze(false)
				back("a cut network", 0, 40*time.Second)
				srv.Down(true)
				s.Drop()
				time.Sleep(time.Minute)
				srv.Down(false)
				back("a server that was down", 0, 5*time.Second)
				srv.Refuse("no room")
				s.Drop()
				time.Sleep(time.Minute)
				srv.Shake(nil)
				back("a refusal", 0, 5*time.Second)
				srv.Respond(http.NotFoundHandler())
				s.Drop()
				time.Sleep(time.Minute)
				srv.Respond(nil)
				back("an answer of HTTP", 0, 5*time.Second)
				srv.Redirect("server:9")
				s.Drop()
				back("a redirect", 0, 5*time.Second)
				if s.Host() != "server:9" || srv.Attempts()[len(srv.Attempts())-1].Addr != "server:9" {
					t.Errorf("came to %s by %v", s.Host(), srv.Attempts())
				}
				for _, want := range []string{"connection refused", "no room", "404"} {
					if !strings.Contains(ag.Log(), want) {
						t.Errorf("the log does not say %q:\n%s", want, ag.Log())
					}
				}
			})
		})
	}
}

// A test hears why what it waits for does not come.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, nil)
		ag := srv.Start(app{}, nil)
		s := srv.Accept()
		agenttest.Send(s, shout.Request, note{"left over"})
		synctest.Wait()
		if err := ag.Stop(); err != nil {
			t.Error(err)
		}
		_, err := agenttest.Call(s, shout, note{"gone"})
		if err == nil || !strings.Contains(err.Error(), "the connection has ended") || !strings.Contains(err.Error(), "LEFT OVER") {
			t.Errorf("a call of an agent that is gone: %v", err)
		}
	})
}

// It works without a bubble, over the same connections in memory.
func TestRealTime(t *testing.T) {
	srv := agenttest.NewServer(t, nil)
	srv.Start(app{}, nil)
	if r, err := agenttest.Call(srv.Accept(), shout, note{"now"}); err != nil || r.Text != "NOW" {
		t.Errorf("answer %q, %v", r.Text, err)
	}
}

// What an agent says into a connection that is cut reaches a server that acknowledges, once, and is lost to an old one.
func TestAcknowledgement(t *testing.T) {
	for name, old := range map[string]bool{"new": false, "old": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := agenttest.NewServer(t, &agenttest.Options{Old: old})
				ready := make(chan *libagent.Agent, 1)
				srv.Start(telling{ready: ready}, nil)
				s, ag := srv.Accept(), <-ready
				say := func(text string) {
					t.Helper()
					if err := libagent.Emit(t.Context(), ag, tick, note{text}); err != nil {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				say("first")
				if n := agenttest.Wait(s, tick); n.Text != "first" {
					t.Errorf("came %q", n.Text)
				}
				s.Freeze(true)
				say("into the void")
				s.Drop()
				s = srv.Accept()
				say("last")
				var all []string
				for len(all) == 0 || all[len(all)-1] != "last" {
					all = append(all, agenttest.Wait(s, tick).Text)
				}
				want := []string{"into the void", "last"}
				if old {
					want = want[1:]
				}
				if !slices.Equal(all, want) {
					t.Errorf("after the cut came %q, want %q", all, want)
				}
			})
		})
	}
}

// telling is an app whose agent a test gets hold of.
type telling struct {
	app
	ready chan *libagent.Agent
}

func (a telling) Setup(ag *libagent.Agent) error {
	a.ready <- ag
	return nil
}
