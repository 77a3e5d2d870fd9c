package exec

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/internal/spool"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// AgentType is the type of the agents that run commands.
const AgentType = files.AgentType

const (
	// DefaultTimeout is how long a command may run when nobody says.
	DefaultTimeout = time.Minute

	// MaxTimeout is the longest that a command may run.
	MaxTimeout = 7 * 24 * time.Hour

	// pruneEvery is how often tasks that are too old are looked for.
	pruneEvery = time.Minute
)

var errNoAnswer = fmt.Errorf("the agent does not answer: %w", context.DeadlineExceeded)

// Commands runs commands on agents, and remembers them. It is made with [New].
type Commands struct {
	settings Config // as configured
	cfg      Config // with its defaults
	fleet    server.Fleet
	timeout  time.Duration // for the start of a command
	spool    *spool.Spool
	files    *files.Files
	tasks    *table
	stopping <-chan struct{}
}

var _ server.Configurer = (*Commands)(nil)

// New makes the feature. Scripts go to agents as files, so f must be a feature of the same server.
func New(cfg Config, f *files.Files) *Commands { return &Commands{settings: cfg, files: f} }

// Name implements [server.Feature].
func (c *Commands) Name() string { return "exec" }

// Settings implements [server.Configurer].
func (c *Commands) Settings() any { return &c.settings }

// Attach implements [server.Feature].
func (c *Commands) Attach(h *server.Host) error {
	c.cfg = c.settings.withDefaults()
	c.fleet, c.timeout, c.stopping = h.Fleet(), h.Timeout(), h.Stopping()
	c.spool = spool.New(h.Folder, c.cfg.Disk)
	c.tasks = newTable(c.cfg.Tasks)
	h.Go(c.run)
	c.routes(h)
	for _, g := range []struct {
		name, help string
		value      func() int
	}{
		{"agent_server_exec_running", "Commands that are running on agents.", func() int { n, _ := c.tasks.count(); return n }},
		{"agent_server_exec_tasks", "Commands that are remembered, with those that are running.", func() int { _, n := c.tasks.count(); return n }},
	} {
		gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help}, func() float64 { return float64(g.value()) })
		if err := h.Metrics().Register(gauge); err != nil {
			return err
		}
	}
	return nil
}

// run forgets old tasks until the server stops, and ends all then.
func (c *Commands) run(ctx context.Context) error {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			c.tasks.prune(now.Add(-c.cfg.Keep))
		case <-ctx.Done():
			for _, t := range c.tasks.close() {
				s := t.State()
				s.Running, s.End, s.Code, s.Why = false, time.Now(), CodeLost, wire.WhyStopped
				t.finish(s, errStopped)
			}
			return c.spool.Close()
		}
	}
}

// Request is a command to run.
type Request struct {
	Cmd     string   // a command; or with no Args, a line for the shell, if it has blanks or characters of the shell
	Args    []string // arguments of the command
	Auth    string   // "", sudo or su
	User    string   // to run it as
	Pass    string   // of the user; see [server.ErrPlaintext]
	WorkDir string
	Env     []string      // KEY=value, added to the agent's own
	Timeout time.Duration // by default, [DefaultTimeout]
	DeferRM string        // a file that is named in the command, and removed after it

	// For agents of ours; left out for others.
	PTY        bool   // on a terminal
	Rows, Cols uint16 // size of the terminal
	Stdin      []byte // what it reads
}

// payload is what an agent is asked.
func (q *Request) payload(ours bool) wire.ExecPayload {
	p := wire.ExecPayload{
		Cmd: q.Cmd, Args: q.Args, Timeout: int(q.Timeout / time.Second), Auth: q.Auth, User: q.User, Pass: q.Pass,
		WorkDir: q.WorkDir, Env: q.Env, DeferRM: q.DeferRM,
	}
	if ours {
		p.Detail, p.PTY, p.Rows, p.Cols, p.Stdin = true, q.PTY, q.Rows, q.Cols, q.Stdin
	}
	return p
}

// Start runs a command on an agent. It returns when the agent has said that it runs, or why not: a [*StartError], or an error
// of reaching the agent. When ctx ends before, the command may run all the same, and is found by its process then.
func (c *Commands) Start(ctx context.Context, agent string, q Request) (*Task, error) {
	a, err := server.Expect(ctx, c.fleet, agent, AgentType)
	if err != nil {
		return nil, err
	}
	if q.Pass != "" && !a.Secure {
		return nil, server.ErrPlaintext
	}
	if q.Timeout <= 0 {
		q.Timeout = DefaultTimeout
	}
	t, err := c.newTask(&a, &q)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	payload := q.payload(t.ordered)
	end, err := c.fleet.Begin(ctx, agent, func(b []byte, task string) ([]byte, error) {
		t.ID = task
		if err := c.tasks.add(t); err != nil {
			return nil, err
		}
		return wire.Exec.Append(b, task, &payload)
	}, t.take)
	if err != nil {
		t.discard(err)
		return nil, err
	}
	t.answered(end)
	select {
	case <-t.started:
		t.mu.Lock()
		defer t.mu.Unlock()
		return t, t.startErr
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.stopping:
		return nil, server.ErrStopped
	}
}

// newTask makes a task and remembers it.
func (c *Commands) newTask(a *server.Agent, q *Request) (*Task, error) {
	c.tasks.makeRoom(func() bool { return c.cfg.Disk-c.spool.Used() >= min(c.cfg.Output, c.cfg.Disk/4) })
	output, err := c.spool.Buffer(l2cache.BufferConfig{
		Memory: min(taskMemory, c.cfg.Output), Size: c.cfg.Output, Full: l2cache.FullDiscard,
	})
	if err != nil {
		return nil, err
	}
	t := &Task{
		Agent: *a, Command: strings.Join(append([]string{q.Cmd}, q.Args...), " "),
		made: time.Now(), owner: c, output: output, timeout: q.Timeout, ordered: slices.Contains(a.Features, wire.FeatureExec),
		started: make(chan struct{}), done: make(chan struct{}),
	}
	t.timer = time.AfterFunc(q.Timeout+c.cfg.Grace, t.expire)
	return t, nil
}

// away reports whether an agent is not connected.
func (c *Commands) away(agent string) bool {
	_, err := c.fleet.Get(context.Background(), agent)
	return err != nil
}

// Find returns the last task of an agent that had this process, also when the agent is away. It fails with [ErrNoTask], or
// with [server.ErrNotFound] when there is no such agent either, or the caller in whose context this is may not see it.
func (c *Commands) Find(ctx context.Context, agent string, pid int) (*Task, error) {
	t := c.tasks.find(agent, pid)
	switch {
	case t != nil && server.Sees(ctx, t.Agent):
		return t, nil
	case t != nil:
		return nil, server.ErrNotFound
	}
	if _, err := c.fleet.Get(ctx, agent); err != nil {
		return nil, err
	}
	return nil, ErrNoTask
}

// List returns the tasks of an agent that are remembered, the oldest first. It fails as Find does.
func (c *Commands) List(ctx context.Context, agent string) ([]*Task, error) {
	if all := c.tasks.of(agent); len(all) > 0 && server.Sees(ctx, all[0].Agent) {
		return all, nil
	}
	_, err := server.Expect(ctx, c.fleet, agent, AgentType)
	return nil, err
}

// Kill asks an agent to end a process that it runs for somebody. Agents do not answer it: whether the process has ended is
// known from its task.
func (c *Commands) Kill(ctx context.Context, agent string, pid int) error {
	if _, err := server.Expect(ctx, c.fleet, agent, AgentType); err != nil {
		return err
	}
	return server.Send(ctx, c.fleet, agent, wire.ExecKill, wire.ExecKillPayload{PID: pid})
}
