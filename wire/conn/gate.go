package conn

import (
	"context"
	"slices"
	"sync"
)

// overtakes is how many of the control lane may go before one of the bulk lane that waits. Only a peer that floods with
// pings gets that far, and must not stop the bulk lane with them.
const overtakes = 100

// gate lets one holder in at a time, the waiting of the control lane before those of the bulk lane, each lane in the
// order of arrival. Whoever waits, waits on a channel, so that in a test with fake time the time goes on.
type gate struct {
	mu       sync.Mutex // guards the fields below
	held     bool
	overtook int                // how many of the control lane have gone before the waiting of the bulk lane
	waiting  [2][]chan struct{} // by lane; a waiter's channel is closed when it is let in
}

// enter waits until the caller holds the gate or ctx is done.
func (g *gate) enter(ctx context.Context, lane Lane) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	g.mu.Lock()
	if !g.held {
		g.held = true
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.waiting[lane] = append(g.waiting[lane], turn)
	g.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	if !g.withdraw(lane, turn) {
		g.leave() // the turn came at the same moment
	}
	return context.Cause(ctx)
}

// lock is enter for whoever waits as long as it takes, which never fails.
func (g *gate) lock() { _ = g.enter(context.Background(), Control) }

// withdraw takes a waiter away. It reports false if that has been let in already.
func (g *gate) withdraw(lane Lane, turn chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting[lane], turn)
	if i < 0 {
		return false
	}
	g.waiting[lane] = slices.Delete(g.waiting[lane], i, i+1)
	return true
}

// leave lets the next one in.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	lane := g.next()
	w := g.waiting[lane]
	switch len(w) {
	case 0:
		g.held = false
		return
	case 1:
		g.waiting[lane] = nil // an idle connection keeps nothing
	default:
		g.waiting[lane] = w[1:]
	}
	close(w[0])
}

// next says which lane is next.
func (g *gate) next() Lane {
	switch {
	case len(g.waiting[Bulk]) == 0:
		g.overtook = 0
		return Control
	case len(g.waiting[Control]) == 0 || g.overtook == overtakes:
		g.overtook = 0
		return Bulk
	}
	g.overtook++
	return Control
}
