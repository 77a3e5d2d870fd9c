package libagent

import (
	"context"
	"sync"
)

// work is what runs for the server and for the author: handlers, tasks and jobs. It ends in two steps: stop takes nothing
// new, and cancel ends ctx for what still runs.
type work struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex // guards stopped, and additions to wg against wait
	stopped bool
}

func newWork() *work {
	w := &work{}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

// start runs fn on a goroutine of its own, unless the work has stopped.
func (w *work) start(fn func()) bool {
	if !w.hold() {
		return false
	}
	go func() {
		defer w.release()
		fn()
	}()
	return true
}

// hold counts something that runs until release, unless the work has stopped.
func (w *work) hold() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return false
	}
	w.wg.Add(1)
	return true
}

func (w *work) release() { w.wg.Done() }

// stop takes nothing new from now on.
func (w *work) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
}

// wait waits until everything has ended or ctx is done. To be called after stop.
func (w *work) wait(ctx context.Context) bool {
	ended := make(chan struct{})
	go func() {
		w.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}
