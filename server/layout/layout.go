package layout

import (
	"container/list"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/rest"
)

var (
	// ErrNoTask means that there is no such layout, or not any more.
	ErrNoTask = rest.Errorf(http.StatusNotFound, "not found: task")

	// ErrBusy means that too many layouts are running.
	ErrBusy = rest.Errorf(http.StatusServiceUnavailable, "too many layouts are running")

	// ErrCancelled is the end of a node whose layout was cancelled.
	ErrCancelled = errors.New("cancelled")
)

// Layouts runs layouts and remembers them. It is made with [New].
type Layouts struct {
	settings Config // as configured
	cfg      Config // with its defaults
	fleet    server.Fleet
	commands *exec.Commands
	files    *files.Files

	mu     sync.Mutex // guards the fields below
	runs   map[string]*Run
	past   *list.List // of *Run, those that have ended, the oldest first
	n      int        // runs since the start
	closed bool
	going  sync.WaitGroup // runs
}

var _ server.Configurer = (*Layouts)(nil)

// New makes the feature. The other two must be features of the same server.
func New(cfg Config, c *exec.Commands, f *files.Files) *Layouts {
	return &Layouts{settings: cfg, commands: c, files: f, runs: make(map[string]*Run), past: list.New()}
}

// Name implements [server.Feature].
func (l *Layouts) Name() string { return "layout" }

// Settings implements [server.Configurer].
func (l *Layouts) Settings() any { return &l.settings }

// Attach implements [server.Feature].
func (l *Layouts) Attach(h *server.Host) error {
	l.cfg = l.settings.withDefaults()
	l.fleet = h.Fleet()
	h.Go(func(ctx context.Context) error {
		<-ctx.Done()
		for _, r := range l.close() {
			r.cancel(server.ErrStopped)
		}
		l.going.Wait()
		return nil
	})
	l.routes(h)
	return nil
}

// close takes no more runs, and returns those that there are.
func (l *Layouts) close() []*Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var all []*Run
	for _, r := range l.runs {
		all = append(all, r)
	}
	return all
}

// Find returns a layout by its id, or [ErrNoTask], which is also what a caller is told who may not see all of its nodes.
func (l *Layouts) Find(ctx context.Context, id string) (*Run, error) {
	l.mu.Lock()
	r := l.runs[id]
	l.mu.Unlock()
	if r == nil {
		return nil, ErrNoTask
	}
	for _, a := range r.plan.Agents {
		if !server.Sees(ctx, a) {
			return nil, ErrNoTask
		}
	}
	return r, nil
}

// Start begins a layout, which goes on when ctx ends: of ctx only the values are used, among them who asked.
func (l *Layouts) Start(ctx context.Context, p Plan) (*Run, error) {
	r := newRun(p)
	ctx, r.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := l.add(r); err != nil {
		r.cancel(err)
		return nil, err
	}
	go func() {
		defer l.going.Done()
		defer l.ended(r)
		defer r.cancel(nil)
		r.run(ctx, l.cfg.Parallel)
	}()
	return r, nil
}

// add takes a run, which is waited for from then on, if there is room or can be made.
func (l *Layouts) add(r *Run) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := l.past.Front(); e != nil; e = l.past.Front() {
		old := e.Value.(*Run)
		if len(l.runs) < l.cfg.Runs && time.Since(old.State().End) < l.cfg.Keep {
			break
		}
		l.past.Remove(e)
		delete(l.runs, old.ID)
	}
	switch {
	case l.closed:
		return server.ErrStopped
	case len(l.runs) >= l.cfg.Runs:
		return ErrBusy
	}
	if l.n++; r.ID == "" {
		r.ID = newID(r.state.Begin, l.n)
	}
	l.runs[r.ID] = r
	l.going.Add(1) // here, where none is added that close does not see
	return nil
}

func (l *Layouts) ended(r *Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past.PushBack(r)
}

// Agents makes sure that all nodes are agents that run commands, and that there are not too many of them.
func (l *Layouts) Agents(ctx context.Context, ids []string) ([]server.Agent, error) {
	if len(ids) > l.cfg.Nodes {
		return nil, rest.Errorf(http.StatusBadRequest, "bad param: ids: %d are more than %d", len(ids), l.cfg.Nodes)
	}
	agents := make([]server.Agent, len(ids))
	for i, id := range ids {
		a, err := server.Expect(ctx, l.fleet, id, exec.AgentType)
		if errors.Is(err, server.ErrNotFound) {
			return nil, rest.Errorf(http.StatusNotFound, "not found: agent: %s", id)
		}
		if err != nil {
			return nil, err
		}
		agents[i] = a
	}
	return agents, nil
}
