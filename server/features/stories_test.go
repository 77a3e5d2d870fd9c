package features_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/server/features"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/wire"
)

// story is several recorded calls that belong together. Its agents give the first answers to a command as recorded, and the rest when
// the test, or a kill, lets them.
type story struct {
	*servertest.Server
	t     *testing.T
	fs    *frames
	first int // answers to a command that come by themselves

	started chan *servertest.Agent // has been asked for a command
	killed  chan int               // processes

	mu   sync.Mutex // guards the fields below
	rest map[*servertest.Agent][]string
	task string // of the last command
}

// tell begins a story.
func tell(t *testing.T, wires string, first int, ids ...string) *story {
	t.Helper()
	st := &story{
		Server: servertest.Start(t, features.All()...), t: t, fs: readFrames(t, wires), first: first,
		started: make(chan *servertest.Agent, 10), killed: make(chan int, 10), rest: make(map[*servertest.Agent][]string),
	}
	for _, id := range ids {
		st.Connect(t, id, "exec-agent", nil, st.answer)
	}
	return st
}

func (st *story) answer(a servertest.Ask) {
	if a.Type == wire.ExecKill.Type() {
		st.more(a.Agent)
		st.killed <- servertest.Decode(st.t, a.Frame, wire.ExecKill).PID
		return
	}
	was := st.fs.next(a.Frame)
	if was == nil {
		return
	}
	n := len(was.answers)
	if a.Type == wire.Exec.Type() {
		n = min(n, st.first)
		st.mu.Lock()
		st.task = a.Task
		for _, f := range was.answers[n:] {
			st.rest[a.Agent] = append(st.rest[a.Agent], strings.ReplaceAll(f, was.task, a.Task))
		}
		st.mu.Unlock()
	}
	for _, f := range was.answers[:n] {
		a.SendRaw(strings.ReplaceAll(f, was.task, a.Task))
	}
	if a.Type == wire.Exec.Type() {
		st.started <- a.Agent
	}
}

// lastTask is the task of the last command.
func (st *story) lastTask() string {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.task
}

// more has an agent send the rest.
func (st *story) more(a *servertest.Agent) {
	st.mu.Lock()
	rest := st.rest[a]
	st.rest[a] = nil
	st.mu.Unlock()
	for _, f := range rest {
		a.SendRaw(f)
	}
}

// same makes recorded calls, and wants the recorded answers.
func (st *story) same(names ...string) {
	st.t.Helper()
	for _, name := range names {
		r := readRecorded(st.t, name)
		resp, body := st.Do(st.t, r.request(st.t, st.Server))
		compare(st.t, r, resp, body)
	}
}

// begun waits until a command has written something.
func (st *story) begun(path, want string) {
	st.t.Helper()
	resp, err := st.Client.Do(st.Request(st.t, "GET", path+"?follow=1", "", nil))
	if err != nil {
		st.t.Fatal(err)
	}
	defer resp.Body.Close()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(resp.Body, b); err != nil || string(b) != want {
		st.t.Fatalf("output %q, %v, want %q", b, err, want)
	}
}

// output wants all of a command's output, to its end: a server of the field gives each piece once, in the recorded calls, and this
// one all of it each time.
func (st *story) output(path, want string, pieces ...string) {
	st.t.Helper()
	for _, p := range []string{path + "?follow=1", path, path} {
		if resp, body := st.Get(st.t, "GET", p); resp.StatusCode != 200 || body != want {
			st.t.Errorf("%s: %d %q, want %q", p, resp.StatusCode, body, want)
		}
	}
	var there strings.Builder
	for _, name := range pieces {
		there.WriteString(readRecorded(st.t, name).Response.Body)
	}
	if got := there.String(); got != want {
		st.t.Errorf("the recorded pieces are %q, want %q", got, want)
	}
}

// Commands that nobody waits for: they are listed, their state is true throughout, and a kill ends them.
func TestRecordedBackground(t *testing.T) {
	st := tell(t, "exec-async-run", 2, "exec-01")
	st.same("exec-ps-notasks", "exec-async-run")
	st.begun("/api/exec/exec-01/pty/260", "one\r\n")
	st.same("exec-async-ps-running", "exec-async-status-running", "exec-async-pty-running")
	st.more(<-st.started)
	st.output("/api/exec/exec-01/pty/260", "one\r\ntwo\r\n", "exec-async-pty-running", "exec-async-pty-done", "exec-async-pty-again")
	st.same("exec-async-status-done", "exec-ps-alldone")

	st.fs = readFrames(t, "exec-async2-run")
	st.same("exec-async2-run")
	st.more(<-st.started)
	st.output("/api/exec/exec-01/pty/263", "one\r\ntwo\r\n", "exec-async2-pty-after-end", "exec-async2-pty-again")

	st.fs = readFrames(t, "exec-kill-run")
	st.same("exec-kill-run")
	<-st.started
	st.begun("/api/exec/exec-01/pty/266", "start\r\n")
	st.same("exec-kill")
	if pid := <-st.killed; pid != 266 {
		t.Errorf("process %d is killed", pid)
	}
	st.output("/api/exec/exec-01/pty/266", "start\r\n", "exec-kill-pty")
	st.same("exec-kill-status", "exec-kill-again")

	st.first, st.fs = 1, readFrames(t, "exec-killsh-run")
	st.same("exec-killsh-run")
	<-st.started
	st.same("exec-killsh")
	st.output("/api/exec/exec-01/pty/282", "")
	st.same("exec-killsh-status")

	// Which of agent and server is the first to notice a timeout was a matter of luck there. Here the agent is asked.
	st.fs = readFrames(t, "exec-async-timeout-run")
	st.same("exec-async-timeout-run")
	st.more(<-st.started)
	st.output("/api/exec/exec-01/pty/284", "")
	resp, body := st.Get(t, "GET", "/api/exec/exec-01/status/284")
	servertest.Want(t, resp, body, 200, `"begin":1795154135,"end":1795154136,"done":true,"code":-1,`)
}

// What comes of a command after its end stopped a server of the field for minutes: here the next command has its answer.
func TestRecordedJam(t *testing.T) {
	st := tell(t, "exec-run-background", 100, "exec-01")
	_, _ = st.Do(t, readRecorded(t, "exec-run-background").request(t, st.Server))
	st.fs = readFrames(t, "exec-jam-next")
	resp, body := st.Do(t, readRecorded(t, "exec-jam-next").request(t, st.Server))
	servertest.Want(t, resp, body, 200, `"pid":285`, `"running":false,"code":0`)

	st.fs = readFrames(t, "foo-after-late-reply")
	st.Connect(t, "example-01", "example-agent", nil, st.answer)
	resp, body = st.Do(t, readRecorded(t, "foo-after-late-reply").request(t, st.Server))
	servertest.Want(t, resp, body, 200, `{"code":0}`)
}

// Commands of one agent that run side by side have each its own output.
func TestRecordedConcurrent(t *testing.T) {
	st := tell(t, "exec-run-concurrent-2", 100, "exec-01")
	var all sync.WaitGroup
	for _, name := range []string{"exec-run-concurrent-0", "exec-run-concurrent-1", "exec-run-concurrent-2"} {
		all.Go(func() { st.same(name) })
	}
	all.Wait()
}

// A long output is there to the last byte.
func TestRecordedLong(t *testing.T) {
	st := tell(t, "exec-run-200k", 1000, "exec-01")
	r := readRecorded(t, "exec-run-200k")
	_, body := st.Do(t, r.request(t, st.Server))
	type run struct {
		PID    int
		Result struct {
			Code int
			Data []byte
		}
	}
	got := servertest.Payload[run](t, body)
	var want []byte
	for line := range bytes.Lines(readRecording("exec-run-200k")) {
		var entry struct {
			Frame struct {
				Data struct{ Data []byte } `json:"exec_data"`
			}
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		want = append(want, entry.Frame.Data.Data...)
	}
	if a, b := sha256.Sum256(got.Result.Data), sha256.Sum256(want); a != b || got.PID != 220 || got.Result.Code != 0 {
		t.Errorf("process %d, code %d, %d bytes %s, want %d", got.PID, got.Result.Code, len(got.Result.Data), hex.EncodeToString(a[:4]), len(want))
	}
}

// layoutView is how a layout stands.
type layoutView struct {
	Begin, End int64
	Done       bool
	Index      int
	Nodes      []struct {
		ID, Status, Err string
		Begin, End      int64
	}
}

// rough makes of times whether they have come: before it, a server of the field has the year 1.
func rough(v layoutView) layoutView {
	come := func(t *int64) { *t = map[bool]int64{true: 1}[*t > 0] }
	come(&v.Begin)
	come(&v.End)
	for i := range v.Nodes {
		come(&v.Nodes[i].Begin)
		come(&v.Nodes[i].End)
	}
	return v
}

// layout wants the recorded state of a layout.
func (st *story) layout(id, name string) {
	st.t.Helper()
	var want struct{ Payload layoutView }
	if err := json.Unmarshal([]byte(readRecorded(st.t, name).Response.Body), &want); err != nil {
		st.t.Fatal(err)
	}
	_, body := st.Get(st.t, "GET", "/api/layout/"+id)
	a, b := rough(servertest.Payload[layoutView](st.t, body)), rough(want.Payload)
	got, err := json.Marshal(a)
	if recorded, e := json.Marshal(b); err != nil || e != nil || !bytes.Equal(got, recorded) {
		st.t.Errorf("%s: %s, want %s", name, got, recorded)
	}
}

// done waits for the end of a layout.
func (st *story) done(id string) string {
	st.t.Helper()
	for {
		if _, body := st.Get(st.t, "GET", "/api/layout/"+id); strings.Contains(body, `"done":true`) || st.t.Failed() {
			return body
		}
	}
}

// The groups of a layout work one after the other, those of a group side by side, and its state says so throughout.
func TestRecordedLayouts(t *testing.T) {
	st := tell(t, "layout-run-groups", 2, "exec-01", "exec-02")
	st.fs.asked = append(st.fs.asked, readFrames(t, "layout-groups-status-early").asked...)
	_, body := st.Do(t, readRecorded(t, "layout-run-groups").request(t, st.Server))
	id := servertest.Payload[string](t, body)
	second := <-st.started
	st.layout(id, "layout-groups-status-early")
	st.more(second)
	first := <-st.started
	st.layout(id, "layout-groups-status-mid")
	st.more(first)
	st.done(id)
	st.layout(id, "layout-groups-status-done")
	if first.ID != "exec-01" || second.ID != "exec-02" {
		t.Errorf("%s before %s", second.ID, first.ID)
	}

	st.fs = readFrames(t, "layout-run-parallel")
	_, body = st.Do(t, readRecorded(t, "layout-run-parallel").request(t, st.Server))
	id = servertest.Payload[string](t, body)
	one, other := <-st.started, <-st.started
	st.layout(id, "layout-parallel-status-early")
	st.more(one)
	st.more(other)
	st.done(id)
	st.layout(id, "layout-parallel-status-done")
}

// What ended the server of the field ends a layout, or a command.
func TestRecordedFatal(t *testing.T) {
	st := tell(t, "layout-fatal-failing-script", 100, "exec-01")
	_, body := st.Do(t, readRecorded(t, "layout-fatal-failing-script").request(t, st.Server))
	if body := st.done(servertest.Payload[string](t, body)); !strings.Contains(body, `"status":"failed","err":"exit code 4"`) {
		t.Errorf("layout: %s", body)
	}
	<-st.started
	resp, body := st.Do(t, readRecorded(t, "fatal-after-layout").request(t, st.Server))
	servertest.Want(t, resp, body, 200, `"agents":1`)

	// An agent of the field dies of half a character: its command has no end that anybody knows, and the agent can come back.
	st.fs = readFrames(t, "fatal-exec-truncated-utf8")
	ended := make(chan int, 1)
	req := readRecorded(t, "fatal-exec-truncated-utf8").request(t, st.Server)
	go func() {
		resp, err := st.Client.Do(req)
		if err != nil {
			ended <- 0
			return
		}
		resp.Body.Close()
		ended <- resp.StatusCode
	}()
	agent := <-st.started
	st.once("/api/exec/exec-01/status/803", `"done":false`)
	agent.Leave()
	st.once("/api/exec/exec-01/status/803", `"done":false`)
	st.Connect(t, "exec-01", "exec-agent", nil, st.answer)
	st.fs = readFrames(t, "exec-run-ok")
	st.same("exec-run-ok")
	st.Stop()
	if status := <-ended; status != http.StatusServiceUnavailable {
		t.Errorf("who waited for it has status %d", status)
	}
}

// once wants an answer that holds a text, once there is one.
func (st *story) once(path, text string) {
	st.t.Helper()
	for {
		resp, body := st.Get(st.t, "GET", path)
		if resp.StatusCode == http.StatusNotFound && !st.t.Failed() {
			continue // the agent's answer is on its way
		}
		servertest.Want(st.t, resp, body, 200, text)
		return
	}
}

// Whoever waits for an agent that goes is told at once.
func TestRecordedGone(t *testing.T) {
	for name, status := range map[string]int{"gone-upload": http.StatusGone, "gone-foo": http.StatusGone} {
		s := servertest.Start(t, features.All()...)
		leave := make(chan *servertest.Agent, 1)
		gone := func(a servertest.Ask) { leave <- a.Agent }
		s.Connect(t, "exec-02", "exec-agent", nil, gone)
		s.Connect(t, "example-01", "example-agent", nil, gone)
		var left sync.WaitGroup
		left.Go(func() { (<-leave).Leave() })
		resp, body := s.Do(t, readRecorded(t, name).request(t, s))
		servertest.Want(t, resp, body, status, `"agent is gone"`)
		left.Wait()
	}
}

// What an agent says that it should not has the recorded answer, but where that was the end of a server.
func TestRecordedFakes(t *testing.T) {
	const (
		begun = `{"type":11,"tid":"T","execd":{"ok":true,"pid":7,"t":"2024-01-02T03:04:05Z"}}` + "\n"
		done  = `{"type":13,"tid":"T","exec_done":{"code":0,"t":"2026-11-20T05:56:30Z"}}`
		info  = `{"type":25,"tid":"T","download_rep":{"dir":"/x","ok":true,"size":5,"block_size":32768,"md5":[93,65,64,42,188,75,42,118,185,113,157,145,16,23,197,146]}}` + "\n"
	)
	for name, tt := range map[string]struct {
		kind   string
		frames string
		status int // 0: the recorded one
	}{
		"fake-exec-bad-base64":      {"exec-agent", begun + `{"type":12,"tid":"T","exec_data":{"data":"*"}}` + "\n" + done, 0},
		"fake-exec-error-frame":     {"exec-agent", `{"type":0,"tid":"T","errmsg":"boom"}`, 0},
		"fake-exec-execd-notok":     {"exec-agent", `{"type":11,"tid":"T","execd":{"ok":false,"msg":"no","pid":0,"t":"2024-01-02T03:04:05Z"}}`, 0},
		"fake-exec-execd-null":      {"exec-agent", `{"type":11,"tid":"T"}`, 500},
		"fake-exec-neg-code":        {"exec-agent", begun + `{"type":13,"tid":"T","exec_done":{"code":-1,"t":"2024-01-01T19:04:07Z"}}`, 0},
		"fake-exec-wrong-mid-type":  {"exec-agent", begun + `{"type":23,"tid":"T","upload_rep":{}}`, 0},
		"fake-download-badmd5":      {"exec-agent", strings.ReplaceAll(info, "[93", "[94") + `{"type":26,"tid":"T","download_data":{"offset":0,"data":"$0$aGVsbG8="}}`, 409},
		"fake-download-badprefix":   {"exec-agent", info + `{"type":26,"tid":"T","download_data":{"offset":0,"data":"hello"}}`, 0},
		"fake-download-error-frame": {"exec-agent", info + `{"type":27,"tid":"T","download_error":{"msg":"read failed"}}`, 0},
		"fake-download-gzip":        {"exec-agent", info + `{"type":26,"tid":"T","download_data":{"offset":0,"data":"$1$H4sIAAAAAAAA/8pIzcnJBwQAAP//hqYQNgUAAAA="}}`, 0},
		"fake-foo-error-frame":      {"example-agent", `{"type":0,"tid":"T","errmsg":"boom"}`, 0},
		"fake-foo-wrong-type":       {"example-agent", `{"type":11,"tid":"T","execd":{"ok":true,"pid":7,"t":"2024-01-02T03:04:05Z"}}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servertest.Start(t, features.All()...)
			s.Connect(t, "fake", tt.kind, nil, func(a servertest.Ask) {
				for frame := range strings.Lines(tt.frames) {
					a.SendRaw(strings.ReplaceAll(strings.TrimSpace(frame), `"T"`, `"`+a.Task+`"`))
				}
			})
			r := readRecorded(t, name)
			resp, body := s.Do(t, r.request(t, s))
			if tt.status != 0 {
				servertest.Want(t, resp, body, tt.status)
				return
			}
			compare(t, r, resp, body)
		})
	}
}
