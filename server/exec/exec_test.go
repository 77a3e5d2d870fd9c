package exec_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
)

// start runs a server that knows commands.
func start(t testing.TB, cfg exec.Config) (*servertest.Server, *exec.Commands) {
	t.Helper()
	f := files.New(files.Config{})
	c := exec.New(cfg, f)
	return servertest.Start(t, f, c), c
}

var (
	begin = time.Unix(1795154119, 5e8).UTC()
	end   = time.Unix(1795154120, 0).UTC()
)

// shell is an agent that gives the command as output, and ends with its length.
func shell(t testing.TB) func(servertest.Ask) {
	return func(a servertest.Ask) {
		switch a.Type {
		case wire.Exec.Type():
			q := servertest.Decode(t, a.Frame, wire.Exec)
			servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{OK: true, PID: 100 + len(q.Cmd), Time: begin})
			servertest.Send(t, a.Agent, wire.ExecData, a.Task, wire.ExecDataPayload{Data: []byte(q.Cmd + strings.Join(q.Args, "|"))})
			servertest.Send(t, a.Agent, wire.ExecDone, a.Task, wire.ExecDonePayload{Code: int64(len(q.Cmd)), Time: end})
		}
	}
}

type run struct {
	ID     string
	Begin  int64
	PID    int
	Result *result
}

type result struct {
	Running   bool
	Code      int64
	End       int64
	Data      []byte
	Why       string
	Truncated int64
}

// A command's end and its whole output are the answer.
func TestRun(t *testing.T) {
	s, _ := start(t, exec.Config{})
	for name, features := range map[string][]string{"field": nil, "ours": {wire.FeatureExec}} {
		s.Connect(t, name, exec.AgentType, features, shell(t))
		resp, body := s.PostJSON(t, "/api/exec/"+name+"/run", `{"cmd":"echo","args":["a","b"],"unknown":1}`)
		servertest.Want(t, resp, body, http.StatusOK)
		got := servertest.Payload[run](t, body)
		if r := got.Result; got.PID != 104 || got.Begin != begin.Unix() || r == nil || r.Code != 4 || r.Running ||
			r.End != end.Unix() || string(r.Data) != "echoa|b" {
			t.Errorf("%s: %s", name, body)
		}
	}
}

// Whoever does not wait learns the rest by and by, and reads the output as often as he likes.
func TestRunInBackground(t *testing.T) {
	s, c := start(t, exec.Config{})
	go_ := make(chan struct{})
	s.Connect(t, "a", exec.AgentType, []string{wire.FeatureExec}, func(a servertest.Ask) {
		if a.Type != wire.Exec.Type() {
			return
		}
		servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{OK: true, PID: 7, Time: begin})
		servertest.Send(t, a.Agent, wire.ExecData, a.Task, wire.ExecDataPayload{Data: []byte("one\n")})
		<-go_
		servertest.Send(t, a.Agent, wire.ExecData, a.Task, wire.ExecDataPayload{Data: []byte("two\n")})
		servertest.Send(t, a.Agent, wire.ExecDone, a.Task, wire.ExecDonePayload{Code: 5, Time: end, Cut: 3})
	})
	_, body := s.PostJSON(t, "/api/exec/a/run", `{"cmd":"x","result":false}`)
	if got := servertest.Payload[run](t, body); got.Result != nil || got.PID != 7 {
		t.Errorf("run: %s", body)
	}
	task, err := c.Find(t.Context(), "a", 7)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if n, err := task.Output(0).Read(buf); string(buf[:n]) != "one\n" || err != nil {
		t.Errorf("output %q, %v", buf[:n], err)
	}
	resp, body := s.Get(t, "GET", "/api/exec/a/ps")
	servertest.Want(t, resp, body, 200, `{"code":0,"payload":[{"task_id":"`+task.ID+`","pid":7,"begin":1795154119}]}`)
	resp, body = s.Get(t, "GET", "/api/exec/a/status/7")
	servertest.Want(t, resp, body, 200, `{"code":0,"payload":{"begin":1795154119,"done":false,"code":0,"size":4}}`)
	for range 2 {
		if resp, body = s.Get(t, "GET", "/api/exec/a/pty/7"); body != "one\n" || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("pty: %q, %v", body, resp.Header)
		}
	}

	followed := make(chan string)
	trailer := make(chan string, 1)
	req := s.Request(t, "GET", "/api/exec/a/pty/7?follow=1&offset=2", "", nil)
	go func() {
		resp, body := s.Do(t, req)
		trailer <- resp.Trailer.Get("X-Truncated-Bytes")
		followed <- body
	}()
	close(go_)
	<-task.Done()
	if got := <-followed; got != "e\ntwo\n" {
		t.Errorf("followed %q", got)
	}
	if got := <-trailer; got != "3" && got != "" { // "" if it came after the end
		t.Errorf("trailer %q", got)
	}
	resp, body = s.Get(t, "GET", "/api/exec/a/pty/7?offset=4")
	if body != "two\n" || resp.Header.Get("X-Truncated-Bytes") != "3" {
		t.Errorf("pty: %q %v", body, resp.Header)
	}
	resp, body = s.Get(t, "GET", "/api/exec/a/ps")
	servertest.Want(t, resp, body, 200, `{"code":0,"payload":[]}`)
	resp, body = s.Get(t, "GET", "/api/exec/a/status/7")
	servertest.Want(t, resp, body, 200, `{"begin":1795154119,"end":1795154120,"done":true,"code":5,"size":8,"truncated":3}`)
	resp, body = s.Get(t, "GET", "/api/exec/a/pty/7?offset=9")
	servertest.Want(t, resp, body, http.StatusRequestedRangeNotSatisfiable)
}
