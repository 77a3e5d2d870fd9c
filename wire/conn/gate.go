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
	overtook int          // how many of the control lane have gone before the waiting of the bulk lane
	waiting  [2][]*waiter // by lane
}

// waiter is who waits at the gate: to be let in, or to have the holder take its frames along.
type waiter struct {
	frames [][]byte // nil for one who must get in itself
	size   int      // of the frames on the wire
	turn   chan struct{}

	// Set before turn is closed.
	carried bool  // the holder has seen to the frames
	err     error // what became of them
}

// enter waits until the caller holds the gate or ctx is done.
func (g *gate) enter(ctx context.Context, lane Lane) error {
	_, err := g.enterOrRide(ctx, lane, nil)
	return err
}

// enterOrRide is enter for who has frames to send, if another one does not take them along: then carried is true, and err is
// what became of them, whatever happens to ctx.
func (g *gate) enterOrRide(ctx context.Context, lane Lane, frames [][]byte) (carried bool, err error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	g.mu.Lock()
	if !g.held {
		g.held = true
		g.mu.Unlock()
		return false, nil
	}
	w := &waiter{frames: frames, turn: make(chan struct{})}
	for _, f := range frames {
		w.size += sizeOnWire(len(f))
	}
	g.waiting[lane] = append(g.waiting[lane], w)
	g.mu.Unlock()

	select {
	case <-w.turn:
		return w.carried, w.err
	case <-ctx.Done():
	}
	if !g.withdraw(lane, w) {
		if <-w.turn; w.carried {
			return true, w.err
		}
		g.leave() // the turn came at the same moment
	}
	return false, context.Cause(ctx)
}

// board takes the first of the control lane away who need not get in, as long as their frames have room, in bytes. The
// caller, who holds the gate, sees to their frames.
func (g *gate) board(room int) (riders []*waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.waiting[Control]
	n := 0
	for n < len(w) && w[n].frames != nil && w[n].size <= room {
		room -= w[n].size
		n++
	}
	riders = w[:n:n]
	if g.waiting[Control] = w[n:]; n == len(w) {
		g.waiting[Control] = nil // an idle connection keeps nothing
	}
	return riders
}

// arrive tells the riders what became of their frames.
func arrive(riders []*waiter, err error) {
	for _, w := range riders {
		w.carried, w.err = true, err
		close(w.turn)
	}
}

// lock is enter for whoever waits as long as it takes, which never fails.
func (g *gate) lock() { _ = g.enter(context.Background(), Control) }

// withdraw takes a waiter away. It reports false if that is let in or carried already.
func (g *gate) withdraw(lane Lane, w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting[lane], w)
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
	close(w[0].turn)
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
