package exec_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
)

// starter is an agent that starts every command, says so, and does no more; it tells the tasks.
func starter(t *testing.T, tasks chan<- string) func(servertest.Ask) {
	return func(a servertest.Ask) {
		if a.Type == wire.Exec.Type() {
			servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{OK: true, PID: 7, Time: begin})
			tasks <- a.Task
		}
	}
}

// A connection that is lost in the middle costs nothing: the status is right throughout, and whoever waits has the whole result.
func TestResultAfterReconnect(t *testing.T) {
	s, c := start(t, exec.Config{})
	tasks := make(chan string, 1)
	first := s.Connect(t, "a", exec.AgentType, []string{wire.FeatureExec}, starter(t, tasks))
	answer := make(chan string, 1)
	req := s.Request(t, http.MethodPost, "/api/exec/a/run", "application/json", bytes.NewReader([]byte(`{"cmd":"x"}`)))
	go func() {
		_, body := s.Do(t, req)
		answer <- body
	}()
	id := <-tasks
	servertest.Send(t, first, wire.ExecData, id, wire.ExecDataPayload{Data: []byte("before ")})
	first.Leave()

	task, err := c.Find(t.Context(), "a", 7)
	if err != nil {
		t.Fatal(err)
	}
	resp, body := s.Get(t, "GET", "/api/exec/a/status/7")
	servertest.Want(t, resp, body, 200, `"done":false`)
	resp, body = s.Get(t, "GET", "/api/exec/a/ps")
	servertest.Want(t, resp, body, 200, task.ID)

	again := s.Connect(t, "a", exec.AgentType, []string{wire.FeatureExec}, func(servertest.Ask) {})
	servertest.Send(t, again, wire.ExecData, id, wire.ExecDataPayload{Data: []byte("after")})
	servertest.Send(t, again, wire.ExecDone, id, wire.ExecDonePayload{Code: 9, Time: end})
	// What comes too late, and twice, changes nothing.
	servertest.Send(t, again, wire.ExecDone, id, wire.ExecDonePayload{Code: 1, Time: end})
	servertest.Send(t, again, wire.ExecData, id, wire.ExecDataPayload{Data: []byte("!")})
	if r := servertest.Payload[run](t, <-answer).Result; r == nil || r.Code != 9 || string(r.Data) != "before after" {
		t.Errorf("answer %+v", r)
	}
}

// An agent that is there and never ends a command has lost it. One that is away may still tell, within the time to keep.
func TestLost(t *testing.T) {
	s, c := start(t, exec.Config{Grace: 50 * time.Millisecond, Keep: 300 * time.Millisecond})
	tasks := make(chan string, 2)
	agent := s.Connect(t, "a", exec.AgentType, nil, starter(t, tasks))
	_, body := s.PostJSON(t, "/api/exec/a/run", `{"cmd":"x","timeout":1}`)
	if r := servertest.Payload[run](t, body).Result; r == nil || r.Code != exec.CodeLost || r.Running {
		t.Errorf("%s", body)
	}
	task, err := c.Start(t.Context(), "a", exec.Request{Cmd: "x", Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	agent.Leave()
	if err := c.Wait(t.Context(), task); err != nil || !task.State().Running {
		t.Errorf("while the agent is away: %+v, %v", task.State(), err)
	}
	<-task.Done()
	if s := task.State(); s.Code != exec.CodeLost || s.Running {
		t.Errorf("in the end: %+v", s)
	}
}

// An agent that goes on with output after the end of its command does not hold the command for ever, with its place among all tasks.
func TestEndlessLateOutput(t *testing.T) {
	s, c := start(t, exec.Config{Grace: 200 * time.Millisecond})
	over := make(chan struct{})
	defer close(over)
	s.Connect(t, "a", exec.AgentType, nil, func(a servertest.Ask) {
		servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{OK: true, PID: 7, Time: begin})
		servertest.Send(t, a.Agent, wire.ExecDone, a.Task, wire.ExecDonePayload{Code: 3, Time: end})
		for {
			select {
			case <-over:
				return
			default:
				servertest.Send(t, a.Agent, wire.ExecData, a.Task, wire.ExecDataPayload{Data: []byte("more")})
			}
		}
	})
	task, err := c.Start(t.Context(), "a", exec.Request{Cmd: "x"})
	if err != nil {
		t.Fatal(err)
	}
	<-task.Done()
	if s := task.State(); s.Running || s.Code != 3 {
		t.Errorf("%+v", s)
	}
}

// What agents say that they should not ends one command, in the words of the field, and harms nothing.
func TestWrongAnswers(t *testing.T) {
	s, _ := start(t, exec.Config{})
	for name, tt := range map[string]struct {
		frames string // T stands for the task
		status int
		want   string
	}{
		"error":       {`{"type":0,"tid":"T","errmsg":"boom"}`, 503, `"msg":"boom"`},
		"refused":     {`{"type":11,"tid":"T","execd":{"ok":false,"msg":"no","pid":0,"t":"2026-11-20T05:55:19Z"}}`, 503, `{"code":503,"msg":"no"}`},
		"policy":      {`{"type":11,"tid":"T","execd":{"ok":false,"msg":"no","pid":0,"t":"2026-11-20T05:55:19Z","why":"policy"}}`, 403, `{"code":403,"msg":"no","why":"policy"}`},
		"no payload":  {`{"type":11,"tid":"T"}`, 500, `exec`},
		"wrong type":  {`{"type":23,"tid":"T","upload_rep":{}}`, 500, `invalid message type: 23`},
		"then error":  {started + `{"type":0,"tid":"T","errmsg":"boom"}`, 200, `"code":-65534`},
		"then other":  {started + `{"type":23,"tid":"T","upload_rep":{}}`, 200, `"code":-65534`},
		"bad data":    {started + `{"type":12,"tid":"T","exec_data":{"data":"*"}}` + "\n" + `{"type":13,"tid":"T","exec_done":{"code":0,"t":"2026-11-20T05:55:19Z"}}`, 200, `"code":0,"end"`},
		"bad end":     {started + `{"type":13,"tid":"T","exec_done":7}`, 200, `"code":-65534`},
		"started":     {started + started + `{"type":13,"tid":"T","exec_done":{"code":-1,"t":"2026-11-20T05:55:19Z"}}`, 200, `"code":-1`},
		"only an end": {`{"type":13,"tid":"T","exec_done":{"code":0,"t":"2026-11-20T05:55:19Z"}}`, 500, `before it began`},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.Connect(t, "a", exec.AgentType, nil, func(a servertest.Ask) {
				for frame := range bytes.Lines([]byte(tt.frames)) {
					a.SendRaw(string(bytes.ReplaceAll(bytes.TrimSpace(frame), []byte(`"T"`), []byte(`"`+a.Task+`"`))))
				}
			})
			resp, body := s.PostJSON(t, "/api/exec/a/run", `{"cmd":"x","timeout":2}`)
			servertest.Want(t, resp, body, tt.status, tt.want)
			a.Leave()
		})
	}
}

const started = `{"type":11,"tid":"T","execd":{"ok":true,"pid":7,"t":"2026-11-20T05:55:19Z"}}` + "\n"

// Output is kept up to a bound, its beginning, and what is missing is said.
func TestOutputIsBounded(t *testing.T) {
	s, c := start(t, exec.Config{Output: 100_000})
	s.Connect(t, "a", exec.AgentType, []string{wire.FeatureExec}, func(a servertest.Ask) {
		servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{OK: true, PID: 7, Time: begin})
		for range 100 {
			servertest.Send(t, a.Agent, wire.ExecData, a.Task, wire.ExecDataPayload{Data: bytes.Repeat([]byte("y\n"), 5000)})
		}
		servertest.Send(t, a.Agent, wire.ExecDone, a.Task, wire.ExecDonePayload{Time: end, Cut: 5})
	})
	_, body := s.PostJSON(t, "/api/exec/a/run", `{"cmd":"yes"}`)
	r := servertest.Payload[run](t, body).Result
	if r == nil || len(r.Data) < 50_000 || len(r.Data) > 100_000 || int(r.Truncated) != 1_000_000-len(r.Data)+5 {
		t.Errorf("%d bytes, truncated %d", len(r.Data), r.Truncated)
	}
	task, err := c.Find(t.Context(), "a", 7)
	if err != nil || task.State().Size != int64(len(r.Data)) {
		t.Errorf("%+v, %v", task, err)
	}
}

// When the disk gets short, the output of those that have ended long ago makes room for that of others.
func TestOldOutputMakesRoom(t *testing.T) {
	s, c := start(t, exec.Config{Disk: 2 << 20, Output: 400_000})
	pid := 0
	s.Connect(t, "a", exec.AgentType, []string{wire.FeatureExec}, func(a servertest.Ask) {
		pid++
		servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{OK: true, PID: pid, Time: begin})
		if pid > 1 {
			servertest.Send(t, a.Agent, wire.ExecData, a.Task, wire.ExecDataPayload{Data: bytes.Repeat([]byte("y\n"), 150_000)})
		}
		servertest.Send(t, a.Agent, wire.ExecDone, a.Task, wire.ExecDonePayload{Time: end})
	})
	const many = 20
	for i := range many {
		_, body := s.PostJSON(t, "/api/exec/a/run", `{"cmd":"yes"}`)
		if r := servertest.Payload[run](t, body).Result; r == nil || i > 0 && len(r.Data) != 300_000 || r.Truncated != 0 {
			t.Fatalf("%d: %.200s", i, body)
		}
	}
	for pid, there := range map[int]bool{1: true, 2: false, many: true} { // the first one takes no room on the disk
		if _, err := c.Find(t.Context(), "a", pid); (err == nil) != there {
			t.Errorf("%d: %v", pid, err)
		}
	}
}

// The number of tasks is bounded: the oldest that has ended makes room, and when all run there is none.
func TestTasksAreBounded(t *testing.T) {
	s, c := start(t, exec.Config{Tasks: 2})
	tasks := make(chan string, 3)
	var agent *servertest.Agent
	pid := 0
	agent = s.Connect(t, "a", exec.AgentType, []string{wire.FeatureExec}, func(a servertest.Ask) {
		pid++
		servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{OK: true, PID: pid, Time: begin})
		tasks <- a.Task
	})
	for range 2 {
		if _, err := c.Start(t.Context(), "a", exec.Request{Cmd: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	resp, body := s.PostJSON(t, "/api/exec/a/run", `{"cmd":"x"}`)
	servertest.Want(t, resp, body, http.StatusServiceUnavailable, "too many commands")
	one, err := c.Find(t.Context(), "a", 1)
	if err != nil {
		t.Fatal(err)
	}
	servertest.Send(t, agent, wire.ExecDone, <-tasks, wire.ExecDonePayload{Time: end})
	<-one.Done()
	if _, err := c.Start(t.Context(), "a", exec.Request{Cmd: "x"}); err != nil {
		t.Error(err)
	}
	if _, err := c.Find(t.Context(), "a", 1); err != exec.ErrNoTask {
		t.Errorf("the oldest is still there: %v", err)
	}
	all, err := c.List(t.Context(), "a")
	if err != nil || len(all) != 2 {
		t.Errorf("%d tasks, %v", len(all), err)
	}
}

// Nobody waits for a server that stops.
func TestStopEndsTasks(t *testing.T) {
	s, c := start(t, exec.Config{})
	tasks := make(chan string, 1)
	s.Connect(t, "a", exec.AgentType, nil, starter(t, tasks))
	task, err := c.Start(t.Context(), "a", exec.Request{Cmd: "x", Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	<-task.Done()
	if got := task.State(); got.Running || got.Why != wire.WhyStopped {
		t.Errorf("%+v", got)
	}
	if _, err := c.Start(t.Context(), "a", exec.Request{Cmd: "x"}); err == nil {
		t.Error("a stopped server starts a command")
	}
}
