package libagent_test

import (
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
