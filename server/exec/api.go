package exec

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// maxInline is how much output the answer of a run holds, in bytes; all of it can be had with pty.
const maxInline = 8 << 20

// answerTime is how long a client may take for an answer, or to take nothing of one that it follows.
const answerTime = 5 * time.Minute

type runInput struct {
	ID   string `path:"id" doc:"id of the agent"`
	Body runBody
}

type runBody struct {
	_       struct{} `json:"-" additionalProperties:"true"`
	Cmd     string   `json:"cmd" minLength:"1" doc:"a command; without args, a line for the shell if it has blanks or characters of the shell" example:"uname"`
	Args    []string `json:"args,omitempty" doc:"arguments of the command"`
	Auth    string   `json:"auth,omitempty" doc:"empty, sudo or su"`
	User    string   `json:"user,omitempty" doc:"to run it as"`
	Pass    string   `json:"pass,omitempty" doc:"of the user; over TLS or loopback only"`
	WorkDir string   `json:"workdir,omitempty" doc:"working directory"`
	Env     []string `json:"env,omitempty" doc:"KEY=value, added to the agent's own"`
	Timeout int      `json:"timeout,omitempty" minimum:"0" maximum:"604800" default:"60" doc:"how long it may run, in seconds"`
	Result  *bool    `json:"result,omitempty" doc:"answer when it has ended; by default, true"`
	PTY     bool     `json:"pty,omitempty" doc:"on a terminal; for agents of this project"`
	Rows    uint16   `json:"rows,omitempty" doc:"height of the terminal"`
	Cols    uint16   `json:"cols,omitempty" doc:"width of the terminal"`
	Stdin   []byte   `json:"stdin,omitempty" doc:"what it reads; for agents of this project"`
}

// runView is a command that was started.
type runView struct {
	ID     string      `json:"id" doc:"of the task"`
	Begin  int64       `json:"begin" doc:"Unix seconds, in the agent's time"`
	PID    int         `json:"pid"`
	Result *resultView `json:"result,omitempty" doc:"when it was waited for"`
}

// resultView is how a command ended, or that it still runs because its agent is away.
type resultView struct {
	Running   bool   `json:"running"`
	Code      int64  `json:"code" doc:"exit status; -1: a signal or the timeout; -65535: not heard of in time; -65534: wrong answer"`
	End       int64  `json:"end,omitempty" doc:"Unix seconds, in the agent's time"`
	Data      []byte `json:"data,omitempty" doc:"the output, up to 8 MiB"`
	Why       string `json:"why,omitempty" doc:"timeout, killed, stopped: what ended it, from agents of this project"`
	Signal    string `json:"signal,omitempty" doc:"that ended it, from agents of this project"`
	Truncated int64  `json:"truncated,omitempty" doc:"bytes of output that are not in data"`
}

type taskView struct {
	ID    string `json:"task_id"`
	PID   int    `json:"pid"`
	Begin int64  `json:"begin" doc:"Unix seconds, in the agent's time"`
}

type statusView struct {
	Begin     int64  `json:"begin" doc:"Unix seconds, in the agent's time"`
	End       int64  `json:"end,omitempty" doc:"Unix seconds, in the agent's time"`
	Done      bool   `json:"done"`
	Code      int64  `json:"code" doc:"as of run"`
	Why       string `json:"why,omitempty"`
	Signal    string `json:"signal,omitempty"`
	Size      int64  `json:"size" doc:"bytes of output that are there"`
	Truncated int64  `json:"truncated,omitempty" doc:"bytes of output beyond the limit, which are not kept"`
}

type agentInput struct {
	ID string `path:"id" doc:"id of the agent"`
}

type pidInput struct {
	ID  string `path:"id" doc:"id of the agent"`
	PID string `path:"pid" doc:"process, as run answered"`
}

type ptyInput struct {
	ID     string `path:"id" doc:"id of the agent"`
	PID    string `path:"pid" doc:"process, as run answered"`
	Follow string `query:"follow" doc:"1: go on until the command has ended"`
	Offset int64  `query:"offset" minimum:"0" doc:"bytes of the output to skip"`
}

// pidOf is the number of a process.
func pidOf(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, form.Bad("pid")
	}
	return int(n), nil
}

// reaching are the errors of a call that asks an agent.
func reaching(more ...int) []int {
	return append(more, http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusFailedDependency,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout)
}

func (c *Commands) routes(h *server.Host) {
	server.RegisterRaw(h, server.RoleOperate, huma.Operation{
		OperationID: "exec-run", Method: http.MethodPost, Path: "/api/exec/{id}/run", Summary: "Run a command on an agent",
		Responses: rest.JSON[runView](h.API()), Errors: reaching(), MaxBodyBytes: 4 << 20,
	}, c.serveRun)
	server.Register(h, server.RoleRead, huma.Operation{
		OperationID: "exec-ps", Method: http.MethodGet, Path: "/api/exec/{id}/ps", Summary: "The commands that run on an agent",
		Errors: reaching(),
	}, c.ps)
	server.Register(h, server.RoleRead, huma.Operation{
		OperationID: "exec-status", Method: http.MethodGet, Path: "/api/exec/{id}/status/{pid}", Summary: "How a command stands",
		Errors: reaching(),
	}, c.status)
	server.RegisterRaw(h, server.RoleRead, huma.Operation{
		OperationID: "exec-pty", Method: http.MethodGet, Path: "/api/exec/{id}/pty/{pid}", Summary: "The output of a command",
		Responses: rest.Binary("text/plain", "the output, as bytes"), Errors: reaching(),
	}, c.servePTY)
	server.Register(h, server.RoleOperate, huma.Operation{
		OperationID: "exec-kill", Method: http.MethodDelete, Path: "/api/exec/{id}/kill/{pid}", Summary: "End a command",
		Errors: reaching(),
	}, c.kill)
	c.scriptRoutes(h)
	h.OnlyOrders("POST /api/exec/{id}/run", "DELETE /api/exec/{id}/kill/{pid}", "POST /api/script/{id}/run")
}

func (c *Commands) serveRun(w http.ResponseWriter, r *http.Request, in *runInput) error {
	b := &in.Body
	if b.Pass != "" && !server.Confidential(r) {
		return server.ErrPlaintext
	}
	t, err := c.Start(r.Context(), in.ID, Request{
		Cmd: b.Cmd, Args: b.Args, Auth: b.Auth, User: b.User, Pass: b.Pass, WorkDir: b.WorkDir, Env: b.Env,
		Timeout: time.Duration(b.Timeout) * time.Second, PTY: b.PTY, Rows: b.Rows, Cols: b.Cols, Stdin: b.Stdin,
	})
	if err != nil {
		return err
	}
	s := t.State()
	v := runView{ID: t.ID, Begin: unix(s.Begin), PID: s.PID}
	if b.Result == nil || *b.Result {
		if v.Result, err = c.result(r.Context(), t); err != nil {
			return err
		}
	}
	writeAnswer(w, v)
	return nil
}

// writeAnswer answers with a payload that may be large.
func writeAnswer[T any](w http.ResponseWriter, v T) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	rest.WriteJSON(w, http.StatusOK, rest.Payload[T]{Payload: v})
}

// Wait waits until a task has ended, or is so late that its agent must be away. It fails when ctx ends or the server stops.
func (c *Commands) Wait(ctx context.Context, t *Task) error {
	late := time.NewTimer(t.timeout + 2*c.cfg.Grace)
	defer late.Stop()
	select {
	case <-t.Done():
	case <-late.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.stopping:
		return server.ErrStopped
	}
	return nil
}

// result waits for the end of a task and returns it with its output.
func (c *Commands) result(ctx context.Context, t *Task) (*resultView, error) {
	if err := c.Wait(ctx, t); err != nil {
		return nil, err
	}
	s := t.State()
	v := &resultView{Running: s.Running, Code: s.Code, Why: s.Why, Signal: s.Signal}
	v.End = unix(s.End)
	var err error
	if v.Data, err = t.Bytes(maxInline); err != nil {
		return nil, err
	}
	v.Truncated = s.Cut + s.Size - int64(len(v.Data))
	return v, nil
}

// Bytes returns the output that is there, the first most bytes of it.
func (t *Task) Bytes(most int64) ([]byte, error) {
	data := make([]byte, min(t.output.Stats().End, most))
	n, err := t.output.ReadAt(data, 0)
	if err == io.EOF {
		err = nil
	}
	return data[:n], err
}

func (c *Commands) ps(ctx context.Context, in *agentInput) (*rest.Body[rest.Payload[[]taskView]], error) {
	all, err := c.List(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	views := []taskView{}
	for _, t := range all {
		if s := t.State(); s.Running {
			views = append(views, taskView{ID: t.ID, PID: s.PID, Begin: unix(s.Begin)})
		}
	}
	return rest.OK(views), nil
}

// lookUp finds a task by the text of its process.
func (c *Commands) lookUp(ctx context.Context, agent, process string) (*Task, error) {
	pid, err := pidOf(process)
	if err != nil {
		return nil, err
	}
	return c.Find(ctx, agent, pid)
}

func (c *Commands) status(ctx context.Context, in *pidInput) (*rest.Body[rest.Payload[statusView]], error) {
	t, err := c.lookUp(ctx, in.ID, in.PID)
	if err != nil {
		return nil, err
	}
	s := t.State()
	v := statusView{
		Begin: unix(s.Begin), Done: !s.Running, Code: s.Code, Why: s.Why, Signal: s.Signal, Size: s.Size, Truncated: s.Cut,
	}
	v.End = unix(s.End)
	return rest.OK(v), nil
}

func (c *Commands) servePTY(w http.ResponseWriter, r *http.Request, in *ptyInput) error {
	t, err := c.lookUp(r.Context(), in.ID, in.PID)
	if err != nil {
		return err
	}
	follow, err := strconv.ParseBool(in.Follow)
	if in.Follow != "" && err != nil {
		return form.Bad("follow:%q is neither 1 nor 0", in.Follow)
	}
	c.WriteOutput(w, r, t, in.Offset, follow)
	return nil
}

func (c *Commands) kill(ctx context.Context, in *pidInput) (*rest.Body[rest.Done], error) {
	pid, err := pidOf(in.PID)
	if err != nil {
		return nil, err
	}
	if err := c.Kill(ctx, in.ID, pid); err != nil {
		return nil, err
	}
	return &rest.Body[rest.Done]{}, nil
}
