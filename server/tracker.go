package server

import "sync"

// tracker counts what is under way, and lets nothing new in once it drains.
type tracker struct {
	mu       sync.Mutex // guards the fields below
	n        int
	draining bool
	idle     chan struct{} // closed when nothing is under way any more; nil before the draining
}

// enter reports whether something new may begin. Whoever begins it calls leave at its end.
func (t *tracker) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.draining {
		return false
	}
	t.n++
	return true
}

func (t *tracker) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.draining && t.n == 0 {
		close(t.idle)
	}
}

// finish runs the rest of what has entered on a goroutine of its own, and leaves at its end.
func (t *tracker) finish(rest func()) {
	go func() {
		defer t.leave()
		rest()
	}()
}

// drain lets nothing in from now on. The channel is closed once everything has ended.
func (t *tracker) drain() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.draining {
		t.draining = true
		t.idle = make(chan struct{})
		if t.n == 0 {
			close(t.idle)
		}
	}
	return t.idle
}

// isDraining reports whether drain has been called.
func (t *tracker) isDraining() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.draining
}
