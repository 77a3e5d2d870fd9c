package conn

import (
	"context"
	"sync"
)

// gate lets one holder in at a time, the waiting of the control lane before those of the bulk lane, each lane in the
// order of arrival.
type gate struct {
	mu      sync.Mutex
	held    bool
	waiting [2][]chan struct{} // by lane; a waiter's channel is closed when it is let in
}

// enter waits until the caller holds the gate or ctx is done.
func (g *gate) enter(ctx context.Context, lane Lane) error {
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
	g.mu.Lock()
	for i, w := range g.waiting[lane] {
		if w == turn {
			g.waiting[lane] = append(g.waiting[lane][:i], g.waiting[lane][i+1:]...)
			g.mu.Unlock()
			return context.Cause(ctx)
		}
	}
	g.mu.Unlock()
	g.leave() // the turn came at the same moment
	return context.Cause(ctx)
}

// leave lets the next one in.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for lane, w := range g.waiting {
		if len(w) > 0 {
			close(w[0])
			if len(w) == 1 {
				g.waiting[lane] = nil // an idle connection keeps nothing
			} else {
				g.waiting[lane] = w[1:]
			}
			return
		}
	}
	g.held = false
}
