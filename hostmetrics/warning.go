package hostmetrics

import (
	"fmt"
	"sync"
)

// Warning is that an item could not be collected.
type Warning struct {
	Item  string // such as "usage of /data"
	Err   error
	Again bool // it could not be the time before either, and whoever logs has said so
}

func (w Warning) String() string { return fmt.Sprintf("%s: %v", w.Item, w.Err) }

// maxFaults is how many items are known to fail. Beyond them each failure is told as if it were the first.
const maxFaults = 4096

// faults knows the items that failed when they were last looked at.
type faults struct {
	mu    sync.Mutex // guards items
	items map[string]struct{}
}

// note keeps whether an item fails, and tells whether it did before.
func (f *faults) note(item string, fails bool) (before bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, before = f.items[item]
	switch {
	case !fails:
		delete(f.items, item)
	case before || len(f.items) >= maxFaults:
	case f.items == nil:
		f.items = map[string]struct{}{item: {}}
	default:
		f.items[item] = struct{}{}
	}
	return before
}

// outcome is told how each look at an item ended, and warns of it if need be.
func (c *Collector) outcome(item string, err error) {
	if before := c.faults.note(item, err != nil); err != nil {
		c.warn(Warning{Item: item, Err: err, Again: before})
	}
}
