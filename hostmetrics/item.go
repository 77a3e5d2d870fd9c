package hostmetrics

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// maxHung is how many items may hang at the same time: each may keep a thread of the process.
const maxHung = 64

// ErrHangs is what an item fails with that has not returned since an earlier report.
var ErrHangs = errors.New("still hangs")

// errAbsent is that a system does not have something, which nobody needs to be told.
var errAbsent = fmt.Errorf("not on this system: %w", fs.ErrNotExist)

// item is one thing that goes into a report of type T.
type item[T any] struct {
	name string

	// read looks, and returns what puts its result into the report. It may outlive its deadline and writes nothing itself.
	read func(ctx context.Context) (func(*T), error)
}

// hung knows the items that have not returned.
type hung struct {
	mu    sync.Mutex // guards names
	names map[string]struct{}
}

// enter says whether an item may be started.
func (h *hung) enter(name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.names[name]; ok {
		return ErrHangs
	}
	if len(h.names) >= maxHung {
		return fmt.Errorf("not looked at: %d others hang", maxHung)
	}
	if h.names == nil {
		h.names = make(map[string]struct{})
	}
	h.names[name] = struct{}{}
	return nil
}

// has tells whether an item hangs.
func (h *hung) has(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.names[name]
	return ok
}

func (h *hung) leave(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.names, name)
}

// result is how an item ended.
type result[T any] struct {
	name string
	put  func(*T)
	err  error
}

// collect runs items side by side, each for no longer than the deadline, and makes a report of those that worked. The goroutine
// of one that hangs ends when the system lets it; until then that item is not started again.
func collect[T any](ctx context.Context, c *Collector, into *T, items []item[T]) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.deadline, fmt.Errorf("took longer than %v", c.deadline))
	defer cancel()
	results := make(chan result[T], len(items))
	waiting := make(map[string]struct{}, len(items))
	for _, it := range items {
		if err := c.hung.enter(it.name); err != nil {
			c.warn(it.name, err)
			continue
		}
		waiting[it.name] = struct{}{}
		go func() { // waited for below, or known to hang
			put, err := it.read(ctx)
			c.hung.leave(it.name)
			results <- result[T]{it.name, put, err}
		}()
	}
	for len(waiting) > 0 {
		select {
		case r := <-results:
			delete(waiting, r.name)
			switch {
			case r.err == nil:
				r.put(into)
			case !errors.Is(r.err, fs.ErrNotExist):
				c.warn(r.name, r.err)
			}
		case <-ctx.Done():
			for name := range waiting {
				c.warn(name, context.Cause(ctx))
			}
			if err := context.Cause(ctx); ctx.Err() == context.Canceled {
				return err
			}
			return nil
		}
	}
	return nil
}
