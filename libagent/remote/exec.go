package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/limit"
	"github.com/jkstack/jkframe/v2/policy"
	"github.com/jkstack/jkframe/v2/process"
	"github.com/jkstack/jkframe/v2/wire"
)

const (
	// fieldTimeout is how long a command may run if the server does not say, as with agents of the field.
	fieldTimeout = time.Minute

	// outputMemory is how much of a command's output is in memory while it waits to be sent, in bytes.
	outputMemory = 128 << 10
)

// noted is what is on disk of a command that runs, for the next start.
type noted struct {
	Task   string `json:"task"`
	Detail bool   `json:"detail"`
}

// exec runs a command and sends what it writes; all of that comes before its end.
func (s *Service) exec(ctx context.Context, t *libagent.Task, q wire.ExecPayload) error {
	defer t.Close()
	begin := time.Now()
	log := s.audit.With("task", t.ID())
	log.Info("exec", "cmd", q.Cmd, "args", q.Args, "auth", q.Auth, "user", q.User, "workdir", q.WorkDir, "env", q.Env, "timeout", q.Timeout, "drm", q.DeferRM)
	out, p, err := s.start(ctx, t, &q)
	if err != nil {
		log.Warn("exec refused", "error", err.Error(), "why", why(err))
		if filepath.Dir(q.DeferRM) == s.temp && names(&q, q.DeferRM) { // a script, which nobody needs now
			_ = s.writable(s.rules.Current()).Remove(q.DeferRM)
		}
		return libagent.Reply(t, wire.Execd, wire.ExecdPayload{Msg: err.Error(), Time: begin, Why: detail(q.Detail, why(err))})
	}
	s.hold(p, true)
	d := &delivery{
		svc: s, detail: q.Detail, out: out,
		start: wire.ExecdPayload{OK: true, PID: p.PID(), Time: p.Begin()}, ended: make(chan struct{}),
	}
	go func() { // ends with the command; what follows waits for it
		d.result = p.Wait()
		s.hold(p, false)
		if q.DeferRM != "" {
			if err := s.writable(s.rules.Current()).Remove(q.DeferRM); err != nil {
				log.Warn("drm", "error", err.Error())
			}
		}
		out.CloseWrite()
		close(d.ended)
	}()
	link, err := d.send(t, 0)
	if err != nil {
		p.Kill() // nobody will hear of it
	}
	<-d.ended
	r := d.result
	log.Info("exec done", "pid", p.PID(), "code", r.Code, "signal", r.Signal, "why", string(r.Reason), "cut", out.Stats().Discarded, "background", r.Background, "took", r.End.Sub(r.Begin), "error", r.Err)
	if k := s.keepEnded(t.ID(), d); d.detail && link.Err() != nil {
		return errors.Join(err, s.tellAgain(k)) // the next connection stood before it was kept for that
	}
	return err
}

// start starts a command that the policy allows, with a buffer for its output.
func (s *Service) start(ctx context.Context, t *libagent.Task, q *wire.ExecPayload) (*l2cache.Buffer, *process.Process, error) {
	rules := s.rules.Current()
	c, err := s.command(rules, q)
	if err != nil {
		return nil, nil, err
	}
	// By then the server has given it up: it would run and nobody know.
	if waited := time.Since(t.Came()); waited > timeout(q) {
		return nil, nil, fmt.Errorf("%w: it has waited for its turn for %v", process.ErrBusy, waited.Round(time.Second))
	}
	if c.Note, err = json.Marshal(noted{t.ID(), q.Detail}); err != nil {
		return nil, nil, err
	}
	most := rules.MaxOutput()
	out, err := l2cache.NewBuffer(l2cache.BufferConfig{Spool: s.spool, Memory: min(max(most, 4<<10), outputMemory), Size: most, Full: l2cache.FullDiscard})
	if err != nil {
		return nil, nil, err
	}
	c.Output = out
	p, err := s.runner.Start(ctx, c)
	if err != nil {
		return nil, nil, errors.Join(err, out.Close())
	}
	return out, p, nil
}

// command is what the server asks for, if the policy allows it. What has arguments is a list; a cmd alone that no program can be
// called is a command line, as servers of the field send it.
func (s *Service) command(rules *policy.Policy, q *wire.ExecPayload) (c process.Command, err error) {
	c = process.Command{Dir: q.WorkDir, Env: q.Env, User: q.User, Password: q.Pass, Text: true}
	order := policy.Order{User: q.User, Env: q.Env}
	if len(q.Args) == 0 && process.NeedsShell(q.Cmd) {
		c.Line, order.Line = q.Cmd, q.Cmd
	} else {
		path, err := process.Find(q.Cmd, q.WorkDir, searchPath(q.Env))
		if err != nil {
			order.Path, order.Args = named(q), q.Args
			return c, cmp.Or(rules.Command(order), err) // what there is on the host is the business of who may run it
		}
		c.Args, order.Path, order.Args = append([]string{path}, q.Args...), path, q.Args
	}
	if err := rules.Command(order); err != nil {
		return c, err
	}
	if q.DeferRM != "" && !names(q, q.DeferRM) {
		return c, fmt.Errorf("%w: the file to remove, %.200q, is not named in the command", policy.ErrRefused, q.DeferRM)
	}
	switch q.Auth {
	case wire.AuthSudo:
		c.Auth = process.AuthSudo
	case wire.AuthSu:
		c.Auth = process.AuthSu
	}
	c.Timeout = rules.MaxTimeout(timeout(q))
	if q.PTY {
		c.Terminal = &process.Size{Rows: q.Rows, Cols: q.Cols}
	}
	if len(q.Stdin) > 0 {
		c.Stdin = strings.NewReader(string(q.Stdin))
	}
	return c, nil
}

// timeout is how long a command may run that a server asks for.
func timeout(q *wire.ExecPayload) time.Duration {
	if q.Timeout <= 0 {
		return fieldTimeout
	}
	return time.Duration(min(int64(q.Timeout), 1<<32)) * time.Second
}

// named is the program that a command names, whether it is there or not.
func named(q *wire.ExecPayload) string {
	if !strings.ContainsAny(q.Cmd, `/\`) {
		return q.Cmd
	}
	if filepath.IsAbs(q.Cmd) {
		return filepath.Clean(q.Cmd)
	}
	return filepath.Join(q.WorkDir, q.Cmd)
}

// names says whether a command names a file.
func names(q *wire.ExecPayload, file string) bool {
	return slices.Contains(q.Args, file) || slices.Contains(strings.Fields(q.Cmd), file)
}

// searchPath is where a command is looked for: in the PATH that comes with it, or the agent's.
func searchPath(env []string) string {
	path := os.Getenv("PATH")
	for _, v := range env {
		if value, ok := strings.CutPrefix(v, "PATH="); ok {
			path = value
		}
	}
	return path
}

// hold keeps a command that runs where a kill finds it.
func (s *Service) hold(p *process.Process, runs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if runs {
		s.running[p.PID()] = p
	} else if s.running[p.PID()] == p {
		delete(s.running, p.PID())
	}
}

// kill ends a command by its number. Others than those that the server has started are not there for it.
func (s *Service) kill(_ context.Context, q wire.ExecKillPayload) error {
	s.mu.Lock()
	p := s.running[q.PID]
	s.mu.Unlock()
	s.audit.Info("kill", "pid", q.PID, "runs", p != nil)
	if p != nil {
		p.Kill()
	}
	return nil
}

// endOrphans ends what a former run of the agent has left, and tells the server of each.
func (s *Service) endOrphans(_ context.Context, ag *libagent.Agent) error {
	var errs []error
	for _, o := range s.orphans {
		var n noted
		err := json.Unmarshal(o.Note, &n)
		if err == nil {
			err = s.endOrphan(ag, o)
		}
		s.audit.Info("exec done", "task", n.Task, "pid", o.PID, "code", -1, "why", wire.WhyStopped, "error", err)
		if err == nil {
			err = tellOrphan(ag, n, o)
		}
		if err == nil {
			err = s.ledger.Forget(o)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// endOrphan kills what is left of an orphan: what is in its control group, if it had one, and what has its environment.
func (s *Service) endOrphan(ag *libagent.Agent, o process.Orphan) error {
	g, err := ag.NewGroup(limit.GroupConfig{Name: o.Group})
	if err == nil {
		err = g.Close()
	}
	return errors.Join(err, s.ledger.End(o))
}

func tellOrphan(ag *libagent.Agent, n noted, o process.Orphan) error {
	t, err := libagent.Resume(ag, n.Task, wire.Exec.Name())
	if err != nil {
		return err
	}
	defer t.Close()
	if o.PID == 0 { // nobody has heard of it
		return libagent.Reply(t, wire.Execd, wire.ExecdPayload{Msg: "the agent was restarted", Time: o.Begin, Why: detail(n.Detail, wire.WhyStopped)})
	}
	return libagent.Reply(t, wire.ExecDone, wire.ExecDonePayload{Code: -1, Time: time.Now(), Why: detail(n.Detail, wire.WhyStopped)})
}
