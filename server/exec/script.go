package exec

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// interpreter is what runs a kind of script.
type interpreter struct {
	cmd, suffix string
	args        []string // before the file
}

// interpreterOf returns what runs the scripts of a type.
func interpreterOf(kind string) (interpreter, error) {
	switch kind {
	case "sh", "bash":
		return interpreter{cmd: kind, suffix: ".sh"}, nil
	case "python", "python3":
		return interpreter{cmd: kind, suffix: ".py"}, nil
	case "bat":
		return interpreter{cmd: "cmd", suffix: ".bat", args: []string{"/c"}}, nil
	case "powershell":
		return interpreter{cmd: kind, suffix: ".ps1", args: []string{"-NonInteractive", "-ExecutionPolicy", "Bypass", "-File"}}, nil
	case "php", "lua":
		return interpreter{cmd: kind, suffix: "." + kind}, nil
	}
	return interpreter{}, form.Bad("unsupported type")
}

// Script is a file to run on an agent.
type Script struct {
	Request               // of which Cmd, Args and DeferRM are made here
	Type    string        // sh, bash, python, python3, bat, powershell, php or lua
	Content files.Content // the file
	Params  []string      // arguments of the script
}

// Check says what is wrong with a script before anybody is asked to run it.
func (s *Script) Check() error {
	_, err := interpreterOf(s.Type)
	return err
}

// StartScript puts a script into the folder for temporary files of an agent's host, and runs it; the agent removes it
// afterwards. It returns as [Commands.Start] does.
func (c *Commands) StartScript(ctx context.Context, agent string, s Script) (*Task, error) {
	q, err := c.putScript(ctx, agent, &s)
	if err != nil {
		return nil, err
	}
	return c.Start(ctx, agent, q)
}

// putScript puts a script on an agent's host, and returns the command that runs it.
func (c *Commands) putScript(ctx context.Context, agent string, s *Script) (q Request, err error) {
	in, err := interpreterOf(s.Type)
	if err != nil {
		return q, err
	}
	sum, err := s.Content.MD5()
	if err != nil {
		return q, err
	}
	chance := make([]byte, 4) // the same script may run twice at the same time, and the first to end removes its file
	rand.Read(chance)
	upload, cancel := context.WithTimeout(ctx, files.DefaultUploadTime)
	defer cancel()
	mode, err := c.scriptMode(ctx, agent, s)
	if err != nil {
		return q, err
	}
	path, err := c.files.Upload(upload, agent, files.Upload{
		Dir: wire.TempDir, Name: hex.EncodeToString(sum[:]) + "-" + hex.EncodeToString(chance) + in.suffix, Mode: mode, Content: s.Content,
	})
	if err != nil {
		return q, err
	}
	q = s.Request
	q.Cmd, q.Args, q.DeferRM = in.cmd, append(append(in.args, path), s.Params...), path
	return q, nil
}

// scriptMode is the mode of a script's file: every user of the host sees its name in the list of processes, and it may hold secrets. One
// that another user runs must be readable for him.
func (c *Commands) scriptMode(ctx context.Context, agent string, s *Script) (fs.FileMode, error) {
	a, err := server.Expect(ctx, c.fleet, agent, AgentType)
	if s.User == "" && slices.Contains(a.Features, wire.FeatureFiles) {
		return 0o600, err
	}
	return 0o644, err
}

// ReadScript makes a script of a form.
func ReadScript(v *form.Form) (s Script, err error) {
	file, err := v.NeedFile()
	if err != nil {
		return s, err
	}
	s.Content, s.Type, s.Params = file, v.Get("type"), v.List("args")
	s.Auth, s.User, s.Pass, s.WorkDir, s.Env = v.Get("auth"), v.Get("user"), v.Get("pass"), v.Get("workdir"), v.List("env")
	if s.Timeout, err = v.Seconds("timeout", DefaultTimeout, MaxTimeout); err != nil {
		return s, form.Bad("timeout")
	}
	if err := s.Check(); err != nil {
		return s, err
	}
	return s, v.CheckMD5()
}

// ScriptFields describes the form of a script.
func ScriptFields() []rest.Field {
	return []rest.Field{
		{Name: "file", Type: "file", Doc: "the script", Required: true},
		{Name: "type", Type: "string", Doc: "sh, bash, python, python3, bat, powershell, php or lua", Required: true},
		{Name: "args", Type: "string", Doc: "arguments of the script; once for each", Many: true},
		{Name: "md5", Type: "string", Doc: "of the file, in hexadecimal"},
		{Name: "auth", Type: "string", Doc: "empty, sudo or su"},
		{Name: "user", Type: "string", Doc: "to run it as"},
		{Name: "pass", Type: "string", Doc: "of the user; over TLS or loopback only"},
		{Name: "workdir", Type: "string", Doc: "working directory"},
		{Name: "env", Type: "string", Doc: "KEY=value, added to the agent's own; once for each", Many: true},
		{Name: "timeout", Type: "integer", Doc: "how long it may run, in seconds; by default, 60"},
	}
}

// scriptView is how a script ended.
type scriptView struct {
	ID        string `json:"id" doc:"of the task"`
	Begin     int64  `json:"begin" doc:"Unix seconds, in the agent's time"`
	End       int64  `json:"end" doc:"Unix seconds, in the agent's time"`
	Code      int64  `json:"code" doc:"as of run; -65534 with the reason in data: it could not be started"`
	Data      []byte `json:"data,omitempty" doc:"the output, up to 8 MiB"`
	Why       string `json:"why,omitempty"`
	Signal    string `json:"signal,omitempty"`
	Truncated int64  `json:"truncated,omitempty" doc:"bytes of output that are not in data"`
}

func (c *Commands) scriptRoutes(h *server.Host) {
	server.RegisterRaw(h, server.RoleOperate, huma.Operation{
		OperationID: "script-run", Method: http.MethodPost, Path: "/api/script/{id}/run", Summary: "Run a script on an agent",
		RequestBody: rest.Form(ScriptFields()...), Responses: rest.JSON[scriptView](h.API()),
		Errors: reaching(http.StatusRequestEntityTooLarge),
	}, c.serveScript)
}

func (c *Commands) serveScript(w http.ResponseWriter, r *http.Request, in *agentInput) error {
	if _, err := server.Expect(r.Context(), c.fleet, in.ID, AgentType); err != nil {
		return err
	}
	v, err := form.Read(w, r, c.files.Store())
	if err != nil {
		return err
	}
	defer v.Close()
	s, err := ReadScript(v)
	if err != nil {
		return err
	}
	if s.Pass != "" && !server.Confidential(r) {
		return server.ErrPlaintext
	}
	t, err := c.StartScript(r.Context(), in.ID, s)
	if e, refused := isStart(err); refused && t != nil && e.Why != wire.WhyPolicy {
		state := t.State()
		writeAnswer(w, scriptView{
			ID: t.ID, Begin: unix(state.Begin), End: unix(state.End), Code: CodeWrong, Data: []byte(e.Msg), Why: e.Why,
		})
		return nil
	}
	if err != nil {
		return err
	}
	res, err := c.result(r.Context(), t)
	if err != nil {
		return err
	}
	writeAnswer(w, scriptView{
		ID: t.ID, Begin: unix(t.State().Begin), End: res.End, Code: res.Code, Data: res.Data, Why: res.Why, Signal: res.Signal,
		Truncated: res.Truncated,
	})
	return nil
}

// unix is a time in the answers of the API: 0 for none.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
