package agenttest

import (
	"sync"
	"time"
)

// watched is a state that goroutines wait for. They wait on a channel, so that in a bubble time goes on.
type watched struct {
	mu      sync.Mutex // guards the state, and changed
	changed chan struct{}
}

// change changes the state and wakes whoever waits for it.
func (w *watched) change(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// look reads the state.
func (w *watched) look(fn func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fn()
}

// await waits until ready returns true, which it may change the state for, and reports false if the deadline passed
// before. The deadline is a part of the state; none is the zero time. Neither function may wait.
func (w *watched) await(ready func() bool, deadline func() time.Time) bool {
	for {
		ok, changed, until := w.poll(ready, deadline)
		if ok {
			return true
		}
		if !sleep(changed, until) {
			return false
		}
	}
}

// poll asks once. If it is not ready, it returns what to wait for.
func (w *watched) poll(ready func() bool, deadline func() time.Time) (ok bool, changed <-chan struct{}, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ready() {
		if w.changed != nil { // it may have taken something
			close(w.changed)
			w.changed = nil
		}
		return true, nil, time.Time{}
	}
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return false, w.changed, deadline()
}

// sleep waits for a channel to be closed, and reports false if the deadline passed before.
func sleep(ch <-chan struct{}, until time.Time) bool {
	if until.IsZero() {
		<-ch
		return true
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ch:
		return true
	case <-timer.C:
		return false
	}
}
