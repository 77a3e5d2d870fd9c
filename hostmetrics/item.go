package hostmetrics

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// errAbsent is that a system does not have something, which nobody needs to be told.
var errAbsent = fmt.Errorf("not on this system: %w", fs.ErrNotExist)

// The items that New looks at as well.
const (
	cpuUsage    = "cpu usage"
	diskTraffic = "disk traffic"
)

// item is one thing that goes into a report of type T.
type item[T any] struct {
	name string

	// read looks, and returns what puts its result into the report. It may outlive its deadline and writes nothing itself.
	read func(ctx context.Context) (func(*T), error)

	// many is whether it is one of any number of its kind, as mounts are: when too many hang, it is not looked at.
	many bool
}

// mayLook says why an item is not to be looked at.
func (c *Collector) mayLook(name string, many bool) error {
	switch {
	case c.hung.has(name):
		return ErrHangs
	case many && c.hung.full():
		return errOthersHang
	}
	return nil
}

// result is how an item ended.
type result[T any] struct {
	name string
	put  func(*T)
	err  error
}

// collect looks at items side by side, all of them for no longer than the deadline, and makes a report of those that worked. The
// goroutine of one that hangs ends when the system lets it; until then that item is not looked at again.
func collect[T any](ctx context.Context, c *Collector, into *T, items []item[T]) error {
	caller := ctx
	ctx, cancel := context.WithTimeoutCause(ctx, c.deadline, fmt.Errorf("took longer than %v", c.deadline))
	defer cancel()
	results := make(chan result[T], len(items))
	waiting := make(map[string]*attempt, len(items))
	for _, it := range items {
		if err := c.mayLook(it.name, it.many); err != nil {
			c.outcome(it.name, err)
			continue
		}
		a := &attempt{name: it.name}
		waiting[it.name] = a
		go func() { // waited for below, or known to hang
			if a.begin(ctx, c) {
				put, err := it.read(ctx)
				a.end(c)
				results <- result[T]{it.name, put, err}
			}
		}()
	}
	for len(waiting) > 0 {
		select {
		case r := <-results:
			delete(waiting, r.name)
			switch {
			case r.err == nil:
				r.put(into)
				c.outcome(r.name, nil)
			case !errors.Is(r.err, fs.ErrNotExist):
				c.outcome(r.name, r.err)
			}
		case <-ctx.Done():
			for name, a := range waiting {
				a.giveUp(c)
				c.outcome(name, context.Cause(ctx))
			}
			if caller.Err() != nil {
				return context.Cause(caller)
			}
			return nil
		}
	}
	return nil
}

// bounded looks at one thing that a report as a whole needs, such as a list of what there is to look at, for no longer than the
// deadline, as collect does with an item.
func bounded[T any](ctx context.Context, c *Collector, name string, read func(ctx context.Context) (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if err := c.mayLook(name, false); err != nil {
		return none, fmt.Errorf("%s: %w", name, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.deadline, fmt.Errorf("%s: took longer than %v", name, c.deadline))
	defer cancel()
	got := make(chan answer, 1)
	a := &attempt{name: name}
	go func() { // waited for below, or known to hang
		if a.begin(ctx, c) {
			v, err := read(ctx)
			a.end(c)
			got <- answer{v, err}
		}
	}()
	select {
	case r := <-got:
		return r.value, r.err
	case <-ctx.Done():
		a.giveUp(c)
		return none, context.Cause(ctx)
	}
}

// listMounts returns the file systems that hold data, none when they cannot be had.
func (c *Collector) listMounts(ctx context.Context) []mount {
	list, err := bounded(ctx, c, "mounts", c.mounts)
	c.outcome("mounts", err)
	return list
}
