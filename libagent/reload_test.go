package libagent_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
)

// reloadApp notes its reloads, and refuses one greeting.
type reloadApp struct {
	testApp
	seen chan string
}

func (a *reloadApp) Reload(ag *libagent.Agent, old, new libagent.Settings) error {
	from, to := old.(*testConf).Greeting, new.(*testConf).Greeting
	if to == "refused" {
		return errors.New("cannot do that")
	}
	if libagent.ConfigOf[*testConf](ag).Greeting != from {
		return errors.New("the new config counts before it was taken")
	}
	a.seen <- from + ">" + to
	return nil
}

var _ libagent.Reloader = (*reloadApp)(nil)

// A good file counts from now on, a bad one changes nothing and says why, and what only a start can change is said.
func TestReload(t *testing.T) {
	file := write(t, "agent.conf", "basic.id = a\nbasic.server = s\ngreeting = one\n")
	synctest.Test(t, func(t *testing.T) {
		app := &reloadApp{seen: make(chan string, 10)}
		var agent *libagent.Agent
		app.setup = func(ag *libagent.Agent) error { agent = ag; return nil }
		srv := newServer(t, nil)
		reload := make(chan struct{})
		ag := start(t, srv, app, func(o *libagent.Options, _ *testConf) {
			o.Config, o.ConfigFile, o.Reload = nil, file, reload
		})
		synctest.Wait() // the agent has read the first file
		greeting := func(text string) string {
			if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
				t.Fatal(err)
			}
			reload <- struct{}{}
			synctest.Wait()
			return libagent.ConfigOf[*testConf](agent).Greeting
		}
		if g := greeting("basic.id = b\nbasic.server = s\nbasic.monitor.interval = 5s\ngreeting = two\n"); g != "two" || len(app.seen) != 1 || <-app.seen != "one>two" {
			t.Errorf("after a reload the greeting is %q", g)
		}
		if n := strings.Count(ag.Log(), "key=basic.id"); n != 1 {
			t.Errorf("the log says %d times that basic.id takes a start", n)
		}
		if g := greeting("basic.server = s\nbasic.monitor.interval = soon\ngreeting = three\n"); g != "two" {
			t.Errorf("a bad file changed the greeting to %q", g)
		}
		if !strings.Contains(ag.Log(), "agent.conf:2:26: basic.monitor.interval") {
			t.Errorf("the log does not say what is wrong:\n%s", ag.Log())
		}
		if g := greeting("basic.server = s\ngreeting = refused\n"); g != "two" || strings.Count(ag.Log(), "cannot do that") != 1 {
			t.Errorf("what the author refused became %q", g)
		}
		time.Sleep(time.Second)
		if n := len(intervals(srv)); n != 0 {
			t.Errorf("reloads cost %d connections", n)
		}
		stop(t, ag)
	})
}
