package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

// A day of the agent: it answers, it greets, it comes back when its server was killed, and its id stays.
func TestDay(t *testing.T) {
	for _, old := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			srv := agenttest.NewServer(t, &agenttest.Options{Old: old})
			ag := srv.Start(app{}, nil)
			id := ""
			for hour := range 24 {
				s := srv.Accept()
				if _, err := agenttest.Call(s, wire.Foo, wire.Empty{}); err != nil {
					t.Errorf("hour %d: foo: %v", hour, err)
				}
				if ai := agenttest.Wait(s, wire.AgentInfo); ai.Version != version {
					t.Errorf("hour %d: version %q reported", hour, ai.Version)
				}
				if hour == 1 {
					id = s.Come().ID
				}
				if hour > 1 && s.Come().ID != id {
					t.Errorf("hour %d: the id is %q, and was %q", hour, s.Come().ID, id)
				}
				time.Sleep(time.Hour)
				s.Drop()
			}
			if n := strings.Count(ag.Log(), "msg=hello"); n < 24*59 || n > 24*61 {
				t.Errorf("%d greetings in a day", n)
			}
		})
	}
}

// The id that the server assigns goes into the file, and a new greeting counts without a start.
func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# mine\nbasic.id =\nbasic.server = server\ngreeting = hi\n")
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, nil)
		ag := srv.Start(app{}, &libagent.Options{ConfigFile: file})
		srv.Accept()
		time.Sleep(90 * time.Second)
		text, err := os.ReadFile(file)
		if err != nil || string(text) != "# mine\nbasic.id = agent-1\nbasic.server = server\ngreeting = hi\n" {
			t.Errorf("the file is %q, %v", text, err)
		}
		write(strings.Replace(string(text), "hi", "salut", 1))
		ag.Reload()
		time.Sleep(time.Minute)
		if log := ag.Log(); !strings.Contains(log, "msg=hi") || !strings.Contains(log, "msg=salut") {
			t.Errorf("greetings:\n%s", log)
		}
	})
}
