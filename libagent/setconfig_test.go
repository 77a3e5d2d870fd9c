package libagent_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/libagent"
)

// What an agent changes of its config counts at once and after a restart, and the operator's file keeps its comments; what
// cannot be used changes nothing.
func TestSetConfig(t *testing.T) {
	const before = "# ours\nbasic.id = a\nbasic.server = s # the one\ngreeting = one # spoken\n"
	file := write(t, "agent.conf", before)
	synctest.Test(t, func(t *testing.T) {
		app := &reloadApp{seen: make(chan string, 10)}
		var agent *libagent.Agent
		app.setup = func(ag *libagent.Agent) error { agent = ag; return nil }
		srv := newServer(t, nil)
		ag := start(t, srv, app, func(o *libagent.Options, _ *testConf) { o.Config, o.ConfigFile = nil, file })
		synctest.Wait()
		now := func() string { return libagent.ConfigOf[*testConf](agent).Greeting }
		text := func() string {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		if err := agent.SetConfig("greeting", "two"); err != nil {
			t.Fatal(err)
		}
		after := strings.Replace(before, "= one", "= two", 1)
		if now() != "two" || len(app.seen) != 1 || <-app.seen != "one>two" || text() != after {
			t.Errorf("greeting %q, file:\n%s", now(), text())
		}
		for key, value := range map[string]string{
			"greeting":     "refused", // by the author
			"greetings":    "x",       // not known
			"basic.server": "elsewhere",
			"server":       "elsewhere",
		} {
			if err := agent.SetConfig(key, value); err == nil {
				t.Errorf("%s = %s was taken", key, value)
			}
		}
		if err := agent.SetConfig("greeting", "$HOME"); err == nil || strings.Contains(err.Error(), os.Getenv("HOME")+`"`) {
			t.Errorf("a variable: %v", err)
		}
		if now() != "two" || text() != after {
			t.Errorf("greeting %q, file:\n%s", now(), text())
		}
		stop(t, ag)
	})
}

// settingApp changes its config while it takes one.
type settingApp struct {
	testApp
	within chan error // from Reload itself, some calls deep
	after  chan error // from a goroutine that it started, in the order of the calls
}

func (a *settingApp) Reload(ag *libagent.Agent, _, new libagent.Settings) error {
	if new.(*testConf).Greeting == "two" {
		var deep func(n int) error
		deep = func(n int) error {
			if n == 0 {
				return ag.SetConfig("greeting", "three")
			}
			return deep(n - 1)
		}
		a.within <- deep(200)
		go func() { a.after <- ag.SetConfig("greeting", "four") }()
		synctest.Wait() // until the goroutine waits
	}
	return nil
}

var _ libagent.Reloader = (*settingApp)(nil)

// Reload does not hang when it wants another config, whatever it was called for, and what it leaves to a goroutine is taken next.
func TestSetConfigWithinReload(t *testing.T) {
	file := write(t, "agent.conf", "basic.id = a\nbasic.server = s\ngreeting = one\n")
	synctest.Test(t, func(t *testing.T) {
		app := &settingApp{within: make(chan error, 1), after: make(chan error, 1)}
		var agent *libagent.Agent
		app.setup = func(ag *libagent.Agent) error { agent = ag; return nil }
		srv := newServer(t, nil)
		reload := make(chan struct{})
		ag := start(t, srv, app, func(o *libagent.Options, _ *testConf) {
			o.Config, o.ConfigFile, o.Reload = nil, file, reload
		})
		synctest.Wait()
		for name, change := range map[string]func() error{
			"SetConfig": func() error { return agent.SetConfig("greeting", "two") },
			"the file": func() error {
				defer func() { reload <- struct{}{} }()
				return os.WriteFile(file, []byte("basic.server = s\ngreeting = two\n"), 0o640)
			},
		} {
			if err := change(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := <-app.within; !errors.Is(err, libagent.ErrReloading) || !strings.Contains(err.Error(), "greeting") {
				t.Errorf("%s: within Reload: %v", name, err)
			}
			if err := <-app.after; err != nil {
				t.Errorf("%s: after Reload: %v", name, err)
			}
			text, err := os.ReadFile(file)
			if g := libagent.ConfigOf[*testConf](agent).Greeting; err != nil || g != "four" || !strings.Contains(string(text), "greeting = four") {
				t.Errorf("%s: greeting %q, file:\n%s", name, g, text)
			}
		}
		stop(t, ag)
	})
}

// Without a file the change counts until the agent stops.
func TestSetConfigInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var agent *libagent.Agent
		app := &testApp{setup: func(ag *libagent.Agent) error { agent = ag; return nil }}
		srv := newServer(t, nil)
		ag := start(t, srv, app, nil)
		synctest.Wait()
		if err := agent.SetConfig("greeting", "two"); err != nil {
			t.Fatal(err)
		}
		c := libagent.ConfigOf[*testConf](agent)
		if c.Greeting != "two" || len(c.Server) == 0 {
			t.Errorf("config %+v", c)
		}
		stop(t, ag)
	})
}
