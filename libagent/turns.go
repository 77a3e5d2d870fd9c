package libagent

import (
	"fmt"
	"sync"
)

// Of each kind of request at most this many run at once, and at most this many more wait, if its handler says nothing
// else.
const (
	defaultAtOnce = 32
	defaultQueue  = 1024
)

// HandleOption changes how requests of one kind are taken: [AtOnce], [Queue].
type HandleOption func(*turns) error

// AtOnce has at most n requests of the kind run at the same time; those beyond wait for their turn, in the order in which
// they came. A stream counts until its task is closed. With 1, each request begins when the one before it has ended. By
// default, 32.
func AtOnce(n int) HandleOption {
	return func(t *turns) error {
		if n < 1 {
			return fmt.Errorf("AtOnce(%d): at least 1", n)
		}
		t.atOnce = n
		return nil
	}
}

// Queue has at most n requests of the kind wait for their turn. One that comes beyond is answered at once with an error
// that says so; with 0 none waits. By default, 1024.
//
// Requests of all kinds together may hold 64 MiB of payload; what comes beyond is answered the same way.
func Queue(n int) HandleOption {
	return func(t *turns) error {
		if n < 0 {
			return fmt.Errorf("Queue(%d): at least 0", n)
		}
		t.most = n
		return nil
	}
}

// turns lets so many of one kind run at once, and so many more wait, in the order in which they came.
type turns struct {
	atOnce, most int

	mu      sync.Mutex // guards what follows
	running int
	waiting []func() // what each does when it is its turn
	closed  bool     // nobody waits any more
}

// take has begin called when it is its turn, at once if it is already. It reports false when too many wait. Each that has
// begun leaves.
func (t *turns) take(begin func()) bool {
	t.mu.Lock()
	switch {
	case t.running < t.atOnce && !t.closed:
		t.running++
	case len(t.waiting) < t.most && !t.closed:
		t.waiting = append(t.waiting, begin)
		t.mu.Unlock()
		return true
	default:
		t.mu.Unlock()
		return false
	}
	t.mu.Unlock()
	begin()
	return true
}

// leave gives the turn to the next one.
func (t *turns) leave() {
	t.mu.Lock()
	if len(t.waiting) == 0 {
		t.running--
		t.waiting = nil // its array may have grown
		t.mu.Unlock()
		return
	}
	begin := t.waiting[0]
	t.waiting[0] = nil
	t.waiting = t.waiting[1:]
	t.mu.Unlock()
	begin()
}

// close ends the waiting: it is the turn of all, and later ones find no room.
func (t *turns) close() {
	t.mu.Lock()
	waiting := t.waiting
	t.running += len(waiting)
	t.waiting, t.closed = nil, true
	t.mu.Unlock()
	for _, begin := range waiting {
		begin()
	}
}

// counts returns how many run and how many wait.
func (t *turns) counts() (running, waiting int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running, len(t.waiting)
}
