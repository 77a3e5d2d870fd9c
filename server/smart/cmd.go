package smart

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/wire"
)

const (
	// runTime is how long a command may run when nobody says, syncTime how long one that is waited for may at most.
	runTime  = time.Hour
	syncTime = time.Minute

	// maxOutput is how much output sync_run answers, in bytes.
	maxOutput = 8 << 20
)

// command reads what is to run, and where.
func command(r *http.Request, v *form.Form, def, most time.Duration) (id string, q exec.Request, err error) {
	if id, err = v.Need("id"); err != nil {
		return id, q, err
	}
	if q.Cmd, err = v.Need("cmd"); err != nil {
		return id, q, err
	}
	if q.Timeout, err = v.Seconds("timeout", def, most); err != nil {
		return id, q, err
	}
	q.Args, q.Env = v.CSV("args"), v.CSV("env")
	q.Auth, q.User, q.Pass = v.Get("auth"), v.Get("user"), v.Get("pass")
	q.WorkDir, q.DeferRM = v.Get("workdir"), v.Get("defer_rm")
	return id, q, secret(r, q.Pass)
}

// secret refuses a password that others may have read.
func secret(r *http.Request, pass string) error {
	if pass != "" && !server.Confidential(r) {
		return server.ErrPlaintext
	}
	return nil
}

type runView struct {
	Channel string `json:"channel_id"`
	PID     int    `json:"pid"`
}

func (d *Dialect) run(r *http.Request, v *form.Form) (any, error) {
	id, q, err := command(r, v, runTime, exec.MaxTimeout)
	if err != nil {
		return nil, err
	}
	callback, err := d.callbackTo(v.Get("callback"))
	if err != nil {
		return nil, err
	}
	t, err := d.commands.Start(r.Context(), id, q)
	if err != nil {
		return nil, err
	}
	if callback != nil {
		d.callBack(callback, t)
	}
	return runView{t.ID, t.State().PID}, nil
}

type syncView struct {
	Code int64  `json:"code"`
	Data []byte `json:"data"`
}

func (d *Dialect) syncRun(r *http.Request, v *form.Form) (any, error) {
	id, q, err := command(r, v, syncTime, syncTime)
	if err != nil {
		return nil, err
	}
	t, err := d.commands.Start(r.Context(), id, q)
	if err != nil {
		return nil, err
	}
	if err := d.commands.Wait(r.Context(), t); err != nil {
		return nil, err
	}
	s := t.State()
	if s.Running {
		return nil, &failure{http.StatusRequestTimeout, "timeout"}
	}
	data, err := t.Bytes(maxOutput)
	return syncView{codeOf(s, q.Timeout), data}, err
}

// codeOf is the exit code of a command: one for all that ended otherwise than by itself, for want of time or because of the agent.
func codeOf(s exec.State, timeout time.Duration) int64 {
	timedOut := s.Why == wire.WhyTimeout || s.Code == -1 && s.Why == "" && s.End.Sub(s.Begin) >= timeout
	if timedOut || s.Code == exec.CodeWrong {
		return exec.CodeLost
	}
	return s.Code
}

type processView struct {
	ID      int    `json:"id"`
	Channel string `json:"channel"`
	Name    string `json:"name"`
	Start   int64  `json:"start_time"` // Unix seconds, in the agent's time
	Up      int64  `json:"up_time"`    // seconds
}

func (d *Dialect) ps(r *http.Request, v *form.Form) (any, error) {
	id, err := v.Need("id")
	if err != nil {
		return nil, err
	}
	all, err := d.commands.List(r.Context(), id)
	if err != nil {
		return nil, err
	}
	views := []processView{}
	for _, t := range all {
		if s := t.State(); s.Running {
			views = append(views, processView{s.PID, t.ID, t.Command, s.Begin.Unix(), int64(t.Age() / time.Second)})
		}
	}
	return views, nil
}

type statusView struct {
	ID      int    `json:"id"`
	Channel string `json:"channel"`
	Created int64  `json:"created"` // Unix seconds, in the agent's time
	Running bool   `json:"running"`
	Code    int64  `json:"code"`
}

// find returns the task that a request names.
func (d *Dialect) find(r *http.Request, v *form.Form) (*exec.Task, error) {
	id, err := v.Need("id")
	if err != nil {
		return nil, err
	}
	pid, err := process(v)
	if err != nil {
		return nil, err
	}
	return d.commands.Find(r.Context(), id, pid)
}

func process(v *form.Form) (int, error) {
	text, err := v.Need("pid")
	if err != nil {
		return 0, err
	}
	pid, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, form.Bad("pid")
	}
	return int(pid), nil
}

func (d *Dialect) status(r *http.Request, v *form.Form) (any, error) {
	t, err := d.find(r, v)
	if err != nil {
		return nil, err
	}
	s := t.State()
	return statusView{s.PID, t.ID, s.Begin.Unix(), s.Running, s.Code}, nil
}

func (d *Dialect) kill(r *http.Request, v *form.Form) (any, error) {
	t, err := d.find(r, v)
	if err != nil {
		return nil, err
	}
	s := t.State()
	if !s.Running {
		return nil, exec.ErrNoTask
	}
	return nil, d.commands.Kill(r.Context(), t.Agent.ID, s.PID)
}

// pty answers with the output alone.
func (d *Dialect) pty(w http.ResponseWriter, r *http.Request) {
	server.Unhurried(w)
	v, err := form.Read(w, r, nil)
	if err == nil {
		var t *exec.Task
		if t, err = d.find(r, v); err == nil {
			d.commands.WriteOutput(w, r, t, 0, v.Get("follow") == "1")
			return
		}
	}
	f := failureOf(err)
	status := http.StatusInternalServerError
	if errors.Is(err, server.ErrNotFound) || errors.Is(err, exec.ErrNoTask) {
		status = http.StatusNotFound
	}
	say(w, status, f.msg)
}
