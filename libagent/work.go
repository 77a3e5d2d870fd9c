package libagent

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
)

// work is what runs for the server and for the author: handlers, tasks and jobs, or the author's callbacks. It ends in
// two steps: stop takes nothing new, and cancel ends ctx for what still runs.
type work struct {
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // guards what follows
	stopped bool
	running map[string]int // by name
	count   int
	idle    chan struct{} // closed when stopped and nothing runs any more
}

func newWork() *work {
	w := &work{running: make(map[string]int), idle: make(chan struct{})}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// start runs fn on a goroutine of its own, unless the work has stopped.
func (w *work) start(name string, fn func()) bool {
	if !w.hold(name) {
		return false
	}
	w.run(name, fn)
	return true
}

// run runs fn on a goroutine of its own, and releases what the caller holds.
func (w *work) run(name string, fn func()) {
	go func() {
		defer w.release(name)
		fn()
	}()
}

// startOnce is start, unless something of the name runs already.
func (w *work) startOnce(name string, fn func()) bool {
	w.mu.Lock()
	busy := w.running[name] > 0
	w.mu.Unlock()
	return !busy && w.start(name, fn)
}

// hold counts something that runs until release, unless the work has stopped.
func (w *work) hold(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return false
	}
	w.running[name]++
	w.count++
	return true
}

func (w *work) release(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running[name]--; w.running[name] == 0 {
		delete(w.running, name)
	}
	w.count--
	if w.stopped && w.count == 0 {
		close(w.idle)
	}
}

// stop takes nothing new from now on. It is called once.
func (w *work) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	if w.count == 0 {
		close(w.idle)
	}
}

// wait waits until everything has ended or ctx is done. To be called after stop.
func (w *work) wait(ctx context.Context) bool {
	select {
	case <-w.idle:
		return true
	case <-ctx.Done():
		return false
	}
}

// names returns what still runs.
func (w *work) names() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(w.running)), ", ")
}
