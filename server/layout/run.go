package layout

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server"
)

// Plan is what a layout does.
type Plan struct {
	ID       string         // of the run; by default, one is made
	Groups   [][]string     // ids of agents: the groups one after the other, those of a group side by side
	Order    []string       // ids in the order in which they are shown; by default, that of the groups
	Agents   []server.Agent // who they are: whoever may not see one of them may not see the run
	Continue bool           // go on with the next group although a node of this one has failed

	// Do does the work on one node. It is called side by side for several, and its context ends when the run is cancelled.
	Do func(ctx context.Context, id string) error

	// After is called when all has ended, if it is set.
	After func()
}

// Status is how a node stands.
type Status string

// How a node stands.
const (
	Waiting   Status = "waiting"
	Running   Status = "running"
	Done      Status = "done"
	Failed    Status = "failed"
	Skipped   Status = "skipped"   // because another node has failed
	Cancelled Status = "cancelled" // before its end
)

// Node is how a node stands.
type Node struct {
	ID         string
	Status     Status
	Begin, End time.Time // zero for what has not come
	Err        string    // why it has failed
}

// maxErr is how long the Err of a node may be, in bytes: there are many nodes.
const maxErr = 4 << 10

// State is how a run stands.
type State struct {
	Begin, End time.Time // End is zero while it runs
	Done       bool      // all nodes have ended, or will not begin
	Index      int       // of the group that is at work, or was the last, from 1 on
	Nodes      []Node
}

// Run is a layout that runs or has run. Its methods may be called by any number of goroutines at once.
type Run struct {
	ID string

	plan   Plan
	cancel context.CancelCauseFunc
	done   chan struct{}

	mu    sync.Mutex // guards the fields below
	state State
	index map[string]int // of a node in state
}

func newRun(p Plan) *Run {
	now := time.Now()
	r := &Run{ID: p.ID, plan: p, done: make(chan struct{}), state: State{Begin: now}, index: make(map[string]int)}
	order := p.Order
	if order == nil {
		for _, g := range p.Groups {
			order = append(order, g...)
		}
	}
	for _, id := range order {
		r.index[id] = len(r.state.Nodes)
		r.state.Nodes = append(r.state.Nodes, Node{ID: id, Status: Waiting})
	}
	return r
}

// newID makes the id of a run, which nobody can guess: YYYYMMDD-<number since the start, at least 5 digits>-<16 hex>.
func newID(now time.Time, n int) string {
	b := make([]byte, 8)
	rand.Read(b) // never fails
	return fmt.Sprintf("%s-%05d-%s", now.Format("20060102"), n, hex.EncodeToString(b))
}

// State returns how the run stands now.
func (r *Run) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state
	s.Nodes = append([]Node(nil), s.Nodes...)
	return s
}

// Cancel ends the run: what works is told to end, and nothing more begins. It does not wait.
func (r *Run) Cancel() { r.cancel(ErrCancelled) }

// Done is closed when the run has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// run works through the groups.
func (r *Run) run(ctx context.Context, parallel int) {
	rest := Skipped
	for i, group := range r.plan.Groups {
		r.mu.Lock()
		r.state.Index = i + 1
		r.mu.Unlock()
		ok := r.group(ctx, group, parallel)
		if ctx.Err() != nil {
			rest = Cancelled
			break
		}
		if !ok && !r.plan.Continue {
			break
		}
	}
	if r.plan.After != nil {
		r.plan.After()
	}
	r.plan.Do, r.plan.After = nil, nil // they may hold a password, and the run is remembered for long
	r.mu.Lock()
	for i := range r.state.Nodes {
		if n := &r.state.Nodes[i]; n.Status == Waiting {
			n.Status = rest
		}
	}
	r.state.Done, r.state.End = true, time.Now()
	r.mu.Unlock()
	close(r.done)
}

// group has all nodes of a group work, and reports whether all have succeeded.
func (r *Run) group(ctx context.Context, ids []string, parallel int) (ok bool) {
	places := make(chan struct{}, parallel)
	var working sync.WaitGroup
	for _, id := range ids {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		working.Go(func() {
			defer func() { <-places }()
			r.node(ctx, id)
		})
	}
	working.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if r.state.Nodes[r.index[id]].Status != Done {
			return false
		}
	}
	return true
}

// node has one node work.
func (r *Run) node(ctx context.Context, id string) {
	r.set(id, func(n *Node) { n.Status, n.Begin = Running, time.Now() })
	err := r.call(ctx, id)
	r.set(id, func(n *Node) {
		n.End = time.Now()
		switch {
		case err == nil:
			n.Status = Done
		case errors.Is(err, ErrCancelled), ctx.Err() != nil && errors.Is(err, context.Canceled):
			n.Status, n.Err = Cancelled, ErrCancelled.Error()
		default:
			text := err.Error()
			n.Status, n.Err = Failed, text[:min(len(text), maxErr)]
		}
	})
}

// call does the work and catches its panic.
func (r *Run) call(ctx context.Context, id string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w", &server.PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return r.plan.Do(ctx, id)
}

func (r *Run) set(id string, change func(*Node)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.state.Nodes[r.index[id]])
}
