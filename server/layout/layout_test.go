package layout_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/server/layout"
	"github.com/jkstack/jkframe/v2/wire"
)

func start(t *testing.T, cfg layout.Config) (*servertest.Server, *layout.Layouts) {
	t.Helper()
	f := files.New(files.Config{})
	c := exec.New(exec.Config{}, f)
	l := layout.New(cfg, c, f)
	return servertest.Start(t, f, c, l), l
}

// form is a layout of a script on nodes, each with its group.
func form(nodes ...string) []servertest.Field {
	fields := []servertest.Field{
		{Name: "type", Value: "sh"}, {Name: "file", Filename: "l.sh", Value: "echo x\n"}, {Name: "args", Value: "one"},
	}
	for _, n := range nodes {
		id, group, _ := strings.Cut(n, "/")
		fields = append(fields, servertest.Field{Name: "ids", Value: id}, servertest.Field{Name: "group", Value: group})
	}
	return fields
}

type state struct {
	Begin, End int64
	Done       bool
	Index      int
	Nodes      []struct {
		ID, Status, Err string
		Begin, End      int64
	}
}

func (s state) String() string {
	var b strings.Builder
	for _, n := range s.Nodes {
		fmt.Fprintf(&b, "%s %s %s; ", n.ID, n.Status, n.Err)
	}
	return b.String()
}

// finish runs a layout to its end.
func finish(t *testing.T, s *servertest.Server, l *layout.Layouts, fields []servertest.Field) state {
	t.Helper()
	_, body := s.PostForm(t, "/api/layout/run", fields...)
	id := servertest.Payload[string](t, body)
	r, err := l.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	<-r.Done()
	_, body = s.Get(t, http.MethodGet, "/api/layout/"+id)
	return servertest.Payload[state](t, body)
}

// A script runs on one group after the other, small numbers first, and leaves nothing behind on the hosts.
func TestGroups(t *testing.T) {
	s, l := start(t, layout.Config{})
	h := servertest.NewHost(s)
	var ran []string
	h.Run = func(q wire.ExecPayload) (string, int64) {
		ran = append(ran, q.Env[0]+q.Args[len(q.Args)-1])
		if _, ok := h.File(q.Args[0]); !ok {
			t.Errorf("no script %s", q.Args[0])
		}
		return "", 0
	}
	for _, id := range []string{"a", "b", "c"} {
		s.Connect(t, id, exec.AgentType, nil, h.Answer(t))
	}
	got := finish(t, s, l, append(form("a/10", "b/-1", "c/2"), servertest.Field{Name: "env", Value: "K=V"}))
	if got.String() != "a done ; b done ; c done ; " || !got.Done || got.Index != 3 || got.End == 0 || got.Nodes[1].End == 0 {
		t.Errorf("%+v", got)
	}
	var begins []string
	for _, c := range h.Calls() {
		if strings.HasPrefix(c, "exec sh") {
			begins = append(begins, c)
		}
	}
	if len(begins) != 3 || len(ran) != 3 || ran[0] != "K=Vone" {
		t.Errorf("%q %q", begins, ran)
	}
}

// A group in which a node has failed is the last, unless the rest shall go on.
func TestOnError(t *testing.T) {
	s, l := start(t, layout.Config{})
	h := servertest.NewHost(s)
	h.Run = func(wire.ExecPayload) (string, int64) { return "", 4 }
	s.Connect(t, "a", exec.AgentType, nil, h.Answer(t))
	s.Connect(t, "b", exec.AgentType, nil, h.Answer(t))
	if got := finish(t, s, l, form("a/1", "b/2")); got.String() != "a failed exit code 4; b skipped ; " || got.Index != 1 {
		t.Errorf("%+v", got)
	}
	got := finish(t, s, l, append(form("a/1", "b/2"), servertest.Field{Name: "onerror", Value: "continue"}))
	if got.String() != "a failed exit code 4; b failed exit code 4; " {
		t.Errorf("%+v", got)
	}
	resp, body := s.PostForm(t, "/api/layout/run", append(form("a/1"), servertest.Field{Name: "onerror", Value: "x"})...)
	servertest.Want(t, resp, body, 400, "onerror")
	resp, body = s.PostForm(t, "/api/layout/run", form("a/1", "a/2")...)
	servertest.Want(t, resp, body, 400, "twice")
	resp, body = s.Get(t, http.MethodDelete, "/api/layout/nope")
	servertest.Want(t, resp, body, 404, "not found: task")
}

// A layout that is cancelled kills what runs, and what is about to, and begins nothing more.
func TestCancel(t *testing.T) {
	for _, late := range []bool{false, true} {
		s, l := start(t, layout.Config{})
		killed := make(chan int, 1)
		began, cancelled := make(chan struct{}), make(chan struct{})
		s.Connect(t, "a", exec.AgentType, []string{wire.FeatureExec}, func(a servertest.Ask) {
			switch a.Type {
			case wire.Upload.Request.Type():
				servertest.Send(t, a.Agent, wire.Upload.Reply, a.Task, wire.UploadReply{Dir: "/tmp/x", OK: true})
			case wire.Exec.Type():
				if late {
					close(began)
					<-cancelled
				}
				servertest.Send(t, a.Agent, wire.Execd, a.Task, wire.ExecdPayload{OK: true, PID: 5, Time: servertest.Begin})
				if !late {
					close(began)
				}
			case wire.ExecKill.Type():
				killed <- servertest.Decode(t, a.Frame, wire.ExecKill).PID
			}
		})
		s.Connect(t, "b", exec.AgentType, nil, func(servertest.Ask) { t.Error("b was asked") })
		_, body := s.PostForm(t, "/api/layout/run", form("a/1", "b/2")...)
		id := servertest.Payload[string](t, body)
		<-began
		resp, body := s.Get(t, http.MethodDelete, "/api/layout/"+id)
		servertest.Want(t, resp, body, 200, `{"code":0}`)
		close(cancelled)
		r, err := l.Find(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		<-r.Done()
		if pid := <-killed; pid != 5 {
			t.Errorf("killed %d", pid)
		}
		if n := r.State().Nodes; n[0].Status != layout.Cancelled || n[1].Status != layout.Cancelled {
			t.Errorf("%+v", n)
		}
	}
}

// Inside a group nodes work side by side, so many at a time; a function that panics fails its node alone.
func TestParallel(t *testing.T) {
	_, l := start(t, layout.Config{Parallel: 3})
	var ids []string
	for i := range 20 {
		ids = append(ids, fmt.Sprint(i))
	}
	var now, most atomic.Int32
	full := make(chan struct{})
	r, err := l.Start(t.Context(), layout.Plan{Groups: [][]string{ids}, Do: func(ctx context.Context, id string) error {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
			if n == 3 {
				close(full)
			}
		}
		defer now.Add(-1)
		select {
		case <-full:
		case <-ctx.Done():
			return ctx.Err()
		}
		if id == "7" {
			panic("seven")
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	<-r.Done()
	if most.Load() != 3 {
		t.Errorf("%d at a time", most.Load())
	}
	for _, n := range r.State().Nodes {
		if want := map[bool]layout.Status{true: layout.Failed, false: layout.Done}[n.ID == "7"]; n.Status != want {
			t.Errorf("%+v", n)
		}
	}
}

// The number of layouts is bounded, and so is their age.
func TestRunsAreBounded(t *testing.T) {
	s, l := start(t, layout.Config{Runs: 1, Nodes: 1, Keep: time.Hour})
	wait := layout.Plan{Groups: [][]string{{"a"}}, Do: func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }}
	r, err := l.Start(t.Context(), wait)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Start(t.Context(), wait); !errors.Is(err, layout.ErrBusy) {
		t.Errorf("a second: %v", err)
	}
	r.Cancel()
	<-r.Done()
	for err = layout.ErrBusy; errors.Is(err, layout.ErrBusy); { // until it counts as past
		_, err = l.Start(t.Context(), wait)
	}
	if err != nil {
		t.Error(err)
	}
	if _, err := l.Find(t.Context(), r.ID); !errors.Is(err, layout.ErrNoTask) {
		t.Errorf("the old one: %v", err)
	}
	resp, body := s.PostForm(t, "/api/layout/run", form("a/1", "b/1")...)
	servertest.Want(t, resp, body, 400, "more than 1")
	s.Stop() // with one that runs
	if _, err := l.Start(t.Context(), wait); err == nil {
		t.Error("a stopped server starts a layout")
	}
}
