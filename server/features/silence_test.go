package features_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/features"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
)

// An agent that says nothing in time, and all the same later: the call is over, and what comes late is no answer to the next.
func TestRecordedTimeout(t *testing.T) {
	s := servertest.StartConfig(t, server.Config{Features: features.All(), API: server.APIConfig{Timeout: time.Second}})
	fs := readFrames(t, "foo-timeout")
	asks := make(chan servertest.Ask, 1)
	s.Connect(t, "example-01", "example-agent", nil, func(a servertest.Ask) {
		frame := *a.Frame // which is good until this returns
		asks <- servertest.Ask{Agent: a.Agent, Frame: &frame}
	})
	r := readRecorded(t, "foo-timeout")
	resp, body := s.Do(t, r.request(t, s))
	compare(t, r, resp, body)
	late := <-asks
	was := fs.next(late.Frame)
	if was == nil || len(was.answers) != 1 {
		t.Fatalf("the recording has %+v", was)
	}
	late.SendRaw(strings.ReplaceAll(was.answers[0], was.task, late.Task))
	resp, body = s.Do(t, r.request(t, s)) // which nobody answers: the late reply is not taken for its own
	compare(t, r, resp, body)
}

// A frame that is nothing is no answer, and no reason to let the agent go: whoever asked the server of the field heard nothing either.
func TestRecordedNullFrame(t *testing.T) {
	s := servertest.StartConfig(t, server.Config{Features: features.All(), API: server.APIConfig{Timeout: 100 * time.Millisecond}})
	s.Connect(t, "fake", "example-agent", nil, func(a servertest.Ask) { a.SendRaw("null") })
	resp, body := s.Do(t, readRecorded(t, "fake-foo-null-frame").request(t, s))
	servertest.Want(t, resp, body, 504, `"timeout"`)
	resp, body = s.Get(t, "GET", "/api/agents")
	servertest.Want(t, resp, body, 200, `"fake"`)
}

// A command whose agent is there and never tells of its end has none: it counts as lost, with all the output that came.
func TestRecordedNoDone(t *testing.T) {
	f := files.New(files.Config{})
	s := servertest.Start(t, exec.New(exec.Config{Grace: time.Second}, f), f)
	s.Connect(t, "fake", exec.AgentType, nil, func(a servertest.Ask) {
		for _, frame := range []string{
			`{"type":11,"tid":"T","execd":{"ok":true,"pid":7,"t":"2024-01-02T03:04:05Z"}}`,
			`{"type":12,"tid":"T","exec_data":{"data":"aGk="}}`,
		} {
			a.SendRaw(strings.Replace(frame, `"T"`, `"`+a.Task+`"`, 1))
		}
	})
	r := readRecorded(t, "fake-exec-no-done")
	resp, body := s.Do(t, r.request(t, s))
	compare(t, r, resp, body)
}

// The agent goes in the middle of a command. Whoever waits gets the answer that the server of the field gave at once, when it is true:
// the agent is back, and the command has ended.
func TestRecordedGoneCommand(t *testing.T) {
	st := tell(t, "gone-exec-run", 100, "exec-02")
	r := readRecorded(t, "gone-exec-run")
	req := r.request(t, st.Server)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		resp, err := st.Client.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		compareWith(t, r, resp)
	}()
	agent := <-st.started
	st.once("/api/exec/exec-02/status/753", `"done":false`)
	st.begun("/api/exec/exec-02/pty/753", "a\r\n")
	agent.Leave()
	st.once("/api/exec/exec-02/status/753", `"done":false`)
	again := st.Connect(t, "exec-02", "exec-agent", nil, st.answer)
	select {
	case <-ended:
		t.Error("the command has ended for want of its agent")
	default:
	}
	again.SendRaw(`{"type":13,"tid":"` + st.lastTask() + `","exec_done":{"code":0,"t":"2026-11-20T05:57:24Z"}}`)
	<-ended
}
