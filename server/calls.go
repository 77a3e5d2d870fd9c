package server

import (
	"runtime/debug"
	"sync"

	"github.com/jkstack/jkframe/v2/wire"
)

// call is a request that waits for its answer.
type call struct {
	decode func(*wire.Frame) error
	done   chan struct{} // closed once err is set
	err    error
}

// finish has the answer decoded. It runs on the goroutine that reads the agent's connection, since the frame is valid
// only there, and never waits for the caller.
func (c *call) finish(f *wire.Frame) {
	defer close(c.done)
	defer func() {
		if v := recover(); v != nil {
			c.err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	c.err = c.decode(f)
}

// calls are the requests to one agent that wait for their answer.
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

// take removes a request, so that only the caller can finish it. It returns nil if somebody else has taken it.
func (c *calls) take(task string) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.waiting[task]
	if p == nil {
		return nil
	}
	delete(c.waiting, task)
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
	return p
}

// end finishes all requests with ErrGone, and takes no more.
func (c *calls) end() {
	c.mu.Lock()
	waiting := c.waiting
	c.waiting, c.ended = nil, true
	c.mu.Unlock()
	for _, p := range waiting {
		p.err = ErrGone
		close(p.done)
	}
}
