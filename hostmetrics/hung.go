package hostmetrics

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

const (
	// maxHung is how many things may hang at the same time before no more of their kind are looked at: each may keep a thread of
	// the process.
	maxHung = 64

	// maxLooks is how many items are looked at at the same time, those that hang not counted.
	maxLooks = 64
)

var (
	// ErrHangs is what an item fails with that has not returned since an earlier report.
	ErrHangs = errors.New("still hangs")

	errOthersHang = fmt.Errorf("not looked at: %d others hang", maxHung)
)

// hung knows what has not returned within its deadline, until it does.
type hung struct {
	mu    sync.Mutex     // guards names
	names map[string]int // how many looks at each
}

func (h *hung) has(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.names[name] > 0
}

func (h *hung) full() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.names) >= maxHung
}

func (h *hung) add(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.names == nil {
		h.names = make(map[string]int)
	}
	h.names[name]++
}

func (h *hung) remove(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.names[name]--; h.names[name] <= 0 {
		delete(h.names, name)
	}
}

// attempt is one look at an item, which may outlive the report that it was made for.
type attempt struct {
	name string

	mu    sync.Mutex // guards what follows
	busy  bool       // it is looking
	given bool       // nobody waits for it any more
}

// begin waits until there are not too many others, and tells whether the look is still wanted.
func (a *attempt) begin(ctx context.Context, c *Collector) bool {
	select {
	case c.looks <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.given {
		<-c.looks
		return false
	}
	a.busy = true
	return true
}

func (a *attempt) end(c *Collector) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.busy = false
	if a.given {
		c.hung.remove(a.name)
		return
	}
	<-c.looks
}

// giveUp lets others go on in its place. What is looking then hangs until it returns.
func (a *attempt) giveUp(c *Collector) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.given = true
	if a.busy {
		c.hung.add(a.name)
		<-c.looks
	}
}
