package libagent_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
)

// An agent whose server is taken out of its config goes to the one that is there now, at once, and what it has to say in the
// meantime arrives, all of it and in order.
func TestMoveByReload(t *testing.T) {
	file := write(t, "agent.conf", "basic.id = a\nbasic.server = one\n")
	synctest.Test(t, func(t *testing.T) {
		const n = 2000
		app := &testApp{setup: func(ag *libagent.Agent) error {
			return ag.Go("talk", func(ctx context.Context, ag *libagent.Agent) error {
				for i := range n {
					if err := libagent.Emit(ctx, ag, text, textPayload{fmt.Sprint(i)}); err != nil {
						return err
					}
					time.Sleep(time.Millisecond)
				}
				return nil
			})
		}}
		srv := agenttest.NewServer(t, nil)
		ag := srv.Start(app, &libagent.Options{ConfigFile: file})
		s := srv.Accept()
		var got []string
		take := func(s *agenttest.Session, count int) {
			for range count {
				got = append(got, agenttest.Wait(s, text).S)
			}
		}
		for _, server := range []string{"two", "three, one", "four, three", "five"} {
			take(s, n/10)
			must(t, os.WriteFile(file, []byte("basic.id = a\nbasic.server = "+server+"\n"), 0o600))
			begin := time.Now()
			ag.Reload()
			old := s
			if strings.Contains(server, "three") && old.Host() == "three:13081" {
				synctest.Wait()
				continue // it stays where it is
			}
			s = srv.Accept()
			if took := time.Since(begin); took > 100*time.Millisecond {
				t.Errorf("the agent went on to %s after %v", s.Host(), took)
			}
			if first, _, _ := strings.Cut(server, ","); s.Host() != first+":13081" {
				t.Errorf("with the servers %s it is at %s", server, s.Host())
			}
			for {
				f, err := old.Next()
				if err != nil {
					break
				}
				p, err := text.Decode(f)
				must(t, err)
				got = append(got, p.S)
			}
		}
		take(s, n-len(got))
		for i, g := range got {
			if g != fmt.Sprint(i) {
				t.Fatalf("message %d is %s", i, g)
			}
		}
		if strings.Contains(ag.Log(), "connection lost") {
			t.Errorf("the log takes going on for a loss:\n%s", ag.Log())
		}
	})
}

// A wrong address is mended while the agent waits to try it again: it does not wait to the end.
func TestMendedAddress(t *testing.T) {
	file := write(t, "agent.conf", "basic.id = a\nbasic.server = one\n")
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, nil)
		srv.Respond(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3600")
			http.Error(w, "go away", http.StatusServiceUnavailable)
		}))
		ag := srv.Start(&testApp{}, &libagent.Options{ConfigFile: file})
		time.Sleep(10 * time.Second)
		srv.Respond(nil)
		must(t, os.WriteFile(file, []byte("basic.id = a\nbasic.server = two\n"), 0o600))
		begin := time.Now()
		ag.Reload()
		srv.Accept()
		if took := time.Since(begin); took > time.Second {
			t.Errorf("the agent took %v to try the address that is right now", took)
		}
	})
}

// One of several servers takes the agent and always hangs up: the agent goes on to the others.
func TestServerThatHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, nil)
		c := &testConf{}
		c.ID, c.Server = "test-01", []string{"bad", "good"}
		srv.Start(&testApp{}, &libagent.Options{Config: c})
		begin := time.Now()
		for time.Since(begin) < 30*time.Second {
			s := srv.Accept()
			if s.Host() == "good:13081" {
				return
			}
			s.Drop()
		}
		t.Error("the agent never tried the good server")
	})
}

// An operator sees in the status that another agent has the id, and that it has not any more.
func TestConflictInStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var agent *libagent.Agent
		srv := agenttest.NewServer(t, nil)
		srv.Refuse("agent id conflict")
		srv.Start(&testApp{setup: func(ag *libagent.Agent) error { agent = ag; return nil }}, nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if c := agent.Status().Connection; !c.Conflict || c.Connected || !strings.Contains(c.LastError, "agent id conflict") {
			t.Errorf("with a conflict the status is %+v", c)
		}
		srv.Shake(nil)
		srv.Accept()
		synctest.Wait()
		if c := agent.Status().Connection; c.Conflict || !c.Connected || c.LastError != "" {
			t.Errorf("without a conflict the status is %+v", c)
		}
	})
}

// Compression is offered, and not when the config says so.
func TestCompress(t *testing.T) {
	for _, on := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			srv := agenttest.NewServer(t, nil)
			var offered []string
			srv.Respond(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				offered = append(offered, r.Header.Get("Sec-Websocket-Extensions"))
				http.Error(w, "seen", http.StatusTeapot)
			}))
			c := &testConf{}
			c.Compress = &on
			srv.Start(&testApp{}, &libagent.Options{Config: c})
			time.Sleep(time.Second / 2)
			synctest.Wait()
			if want := on; len(offered) == 0 || strings.Contains(offered[0], "permessage-deflate") != want {
				t.Errorf("compress = %v: the agent offers %q", on, offered)
			}
		})
	}
}
