package server

import (
	"math/rand/v2"
	"sync"
	"time"
)

// maxRetry is the longest that a refused client is told to wait.
const maxRetry = time.Minute

// admission lets a number of connects a second pass, a second's worth of them at once, and gives every other client a
// time to come again: each the next slot that is still free, so that a crowd comes back at the pace that is allowed.
type admission struct {
	every time.Duration // between two connects, 0 for no limit

	mu   sync.Mutex // guards the fields below
	paid time.Time  // those let in have used up the time until then; up to a second ahead
	slot time.Time  // the last slot that was promised to a refused client
}

func newAdmission(perSecond int) *admission {
	a := &admission{}
	if perSecond > 0 {
		a.every = time.Second / time.Duration(perSecond)
	}
	return a
}

// admit says whether a client may come in now, and else how long it should wait.
func (a *admission) admit(now time.Time) (wait time.Duration, ok bool) {
	if a.every == 0 {
		return 0, true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.paid.Before(now) {
		a.paid = now
	}
	next := a.paid.Add(a.every)
	if next.Sub(now) <= time.Second {
		a.paid = next
		return 0, true
	}
	free := next.Add(-time.Second) // the first moment at which one more may pass
	if a.slot.Before(free) {
		a.slot = free
	} else {
		a.slot = a.slot.Add(a.every)
	}
	if wait = a.slot.Sub(now); wait > maxRetry {
		// The queue is longer than anybody should wait: from here on chance spreads the clients.
		a.slot = now.Add(maxRetry)
		wait = maxRetry/2 + rand.N(maxRetry/2)
	}
	return wait, false
}

// refusing reports whether clients that were refused are still to come again.
func (a *admission) refusing(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.slot.After(now)
}

// retrySeconds is a wait in whole seconds for a Retry-After header, rounded up, and up to a quarter more by chance, so
// that clients that were refused together do not come back in step.
func retrySeconds(wait time.Duration) int {
	s := int((wait + time.Second - 1) / time.Second)
	return max(s, 1) + rand.IntN(1+s/4)
}
