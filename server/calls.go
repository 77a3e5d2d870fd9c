package server

import (
	"runtime/debug"
	"sync"

	"github.com/jkstack/jkframe/v2/wire"
)

// call is a request that waits for its answers.
type call struct {
	take func(*wire.Frame) (last bool, err error)
	done chan struct{} // closed once err is set

	mu   sync.Mutex // held while take runs; guards the fields below
	over bool
	err  error
}

// accept has an answer taken, and reports whether it was the last. It runs on the goroutine that reads the agent's
// connection, since the frame is valid only there, and never waits for the caller.
func (c *call) accept(f *wire.Frame) (last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return true
	}
	defer func() {
		if v := recover(); v != nil {
			last = true
			c.finish(&PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	last, err := c.take(f)
	if last = last || err != nil; last {
		c.finish(err)
	}
	return last
}

// finish ends the call. The caller holds c.mu.
func (c *call) finish(err error) {
	c.over, c.err = true, err
	close(c.done)
}

// end ends the call, so that nothing is taken any more, unless it has ended. It returns how the call ended.
func (c *call) end(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.finish(err)
	}
	return c.err
}

// calls are the requests to one agent that wait for answers.
type calls struct {
	mu      sync.Mutex       // guards the fields below
	ended   bool             // the session is over, nobody will answer
	waiting map[string]*call // by task; nil while empty, since a map keeps the memory of its largest size
}

// add reports whether an answer can be waited for.
func (c *calls) add(task string, p *call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	if c.waiting == nil {
		c.waiting = make(map[string]*call)
	}
	c.waiting[task] = p
	return true
}

// get returns the request with this task, nil if nobody waits for its answers.
func (c *calls) get(task string) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting[task]
}

// remove forgets a request.
func (c *calls) remove(task string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, task)
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
}

// end finishes all requests with ErrGone, and takes no more.
func (c *calls) end() {
	c.mu.Lock()
	waiting := c.waiting
	c.waiting, c.ended = nil, true
	c.mu.Unlock()
	for _, p := range waiting {
		_ = p.end(ErrGone) // its caller learns how it ended
	}
}
