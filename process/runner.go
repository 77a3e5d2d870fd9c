package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
)

// Config bounds a [Runner]. Its zero value works.
type Config struct {
	// Running is how many commands run at once. By default, 64.
	Running int

	// Waiting is how many more wait for their turn; what comes beyond gets ErrBusy. By default, 1024.
	Waiting int

	// Background is how many commands may have left processes in the background; those of one beyond are killed at its end. By
	// default, 64.
	Background int

	// Grace is how long a command has between SIGTERM and SIGKILL. By default, 5 s.
	Grace time.Duration

	// StopGrace is the same for one that ends because its context or the Runner does: whoever stops has little time. By default,
	// 500 ms.
	StopGrace time.Duration

	// Ledger notes what runs. By default, nothing does.
	Ledger *Ledger

	// Group makes the group that a command runs in. The name is Orphan.Group of a command that is noted in the Ledger, "" for one that
	// is not. It may be called by several goroutines. By default, groups without limits, and without control groups.
	Group func(name string) (*limit.Group, error)
}

// Runner runs commands, side by side up to a bound. Its methods may be called by any goroutine.
type Runner struct {
	cfg   Config
	slots chan struct{} // one for each that runs

	mu      sync.Mutex // guards what follows
	waiting int
	closed  bool
	left    []*limit.Group // of commands that have ended, with processes that go on
	running map[*Process]struct{}
	all     sync.WaitGroup // the commands; Add under mu while not closed
	closing chan struct{}  // closed by Close
}

// NewRunner makes a Runner, which is to be closed.
func NewRunner(cfg Config) *Runner {
	if cfg.Running <= 0 {
		cfg.Running = 64
	}
	if cfg.Waiting <= 0 {
		cfg.Waiting = 1024
	}
	if cfg.Background <= 0 {
		cfg.Background = 64
	}
	if cfg.Grace <= 0 {
		cfg.Grace = 5 * time.Second
	}
	if cfg.StopGrace <= 0 {
		cfg.StopGrace = 500 * time.Millisecond
	}
	if cfg.Group == nil {
		cfg.Group = func(string) (*limit.Group, error) { return (*limit.Applied)(nil).NewGroup(limit.GroupConfig{}) }
	}
	return &Runner{
		cfg:     cfg,
		slots:   make(chan struct{}, cfg.Running),
		running: make(map[*Process]struct{}),
		closing: make(chan struct{}),
	}
}

// Start starts a command when its turn has come. When ctx ends, it waits no more, or the command is ended as by a kill.
func (r *Runner) Start(ctx context.Context, c Command) (*Process, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := r.enter(ctx); err != nil {
		return nil, err
	}
	p, err := r.start(ctx, c)
	if err != nil {
		<-r.slots
		r.all.Done()
		return nil, err
	}
	r.sweep()
	return p, nil
}

// enter waits for the command's turn. With no error, r.all and r.slots have one more.
func (r *Runner) enter(ctx context.Context) error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return ErrClosed
	}
	select {
	case r.slots <- struct{}{}:
		r.all.Add(1)
		r.mu.Unlock()
		return nil
	default:
	}
	if r.waiting >= r.cfg.Waiting {
		r.mu.Unlock()
		return fmt.Errorf("%w: %d run, %d wait", ErrBusy, r.cfg.Running, r.cfg.Waiting)
	}
	r.waiting++
	r.all.Add(1)
	r.mu.Unlock()

	var err error
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-r.closing:
		err = ErrClosed
	}
	r.mu.Lock()
	r.waiting--
	r.mu.Unlock()
	if err != nil {
		r.all.Done()
	}
	return err
}

// add notes a command that runs. A Runner that was closed meanwhile has it ended at once.
func (r *Runner) add(p *Process) {
	r.mu.Lock()
	r.running[p] = struct{}{}
	closed := r.closed
	r.mu.Unlock()
	if closed {
		p.ask(Stopped)
	}
}

// remove notes that a command has ended, and takes over what it has left in its group.
func (r *Runner) remove(p *Process, keep bool) (left int) {
	var err error
	if keep {
		var u limit.Usage
		u, err = p.group.Usage()
		left = u.Processes
	}
	r.mu.Lock()
	delete(r.running, p)
	if keep = left > 0 && err == nil && !r.closed && len(r.left) < r.cfg.Background; keep {
		r.left = append(r.left, p.group)
	}
	r.mu.Unlock()
	if !keep {
		left = 0
		p.result.Err = errors.Join(p.result.Err, p.group.Close())
	}
	return left
}

// sweep removes the groups in which nothing runs any more. It is done with every start, so that nothing need run for it.
func (r *Runner) sweep() {
	r.mu.Lock()
	left := r.left
	r.left = nil
	r.mu.Unlock()
	if len(left) == 0 {
		return
	}
	var still []*limit.Group
	for _, g := range left {
		if u, err := g.Usage(); err == nil && u.Processes > 0 {
			still = append(still, g)
			continue
		}
		_ = g.Close() // nothing is in it; what fails is a folder that stays
	}
	r.mu.Lock()
	r.left = append(r.left, still...)
	closed := r.closed
	r.mu.Unlock()
	if closed {
		_ = r.closeLeft() // Close has not seen these
	}
}

// Close ends what runs, as by a kill, and what is left in the background, and waits for it. Nothing is started any more.
func (r *Runner) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.closing)
	}
	for p := range r.running {
		p.ask(Stopped)
	}
	r.mu.Unlock()
	r.all.Wait()
	return r.closeLeft()
}

func (r *Runner) closeLeft() error {
	r.mu.Lock()
	left := r.left
	r.left = nil
	r.mu.Unlock()
	var errs []error
	for _, g := range left {
		errs = append(errs, g.Close())
	}
	return errors.Join(errs...)
}
