package limit

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
)

// Applied is what Apply has set up. Its methods may be called at any time by any goroutine, and on a nil *Applied, which
// is one that nothing was asked of.
type Applied struct {
	results []Result

	mu     sync.Mutex // guards what follows
	host   host       // what the operating system was told
	tuned  tuning     // what the Go runtime was told
	groups []*Group   // those that are open
	made   int        // groups so far
	closed bool
}

// Apply puts the limits of c on this process and on what it starts from now on.
//
// The error says what in c makes no sense (see [Config.Validate]); the rest is applied nevertheless, so that the value
// returned is never nil, and must be closed. What this host cannot do is no error, and said in its Results.
//
// The process moves into a control group of its own below the one it runs in, so that what holds it already goes on
// holding it. A group that a run left behind that was killed is taken over. Where a limit is already held as tightly from
// above, by a unit of systemd or by a container, nothing is set up for it and Results says so.
//
// The Go runtime is told of the limits: the garbage collector aims below the memory limit (GOMEMLIMIT), and no more threads
// run Go code than the quota can feed (GOMAXPROCS), two at least. It is only ever set tighter, and not where the
// environment sets it.
//
// To change limits, call Close and then Apply with the new ones.
func Apply(c Config) (*Applied, error) {
	err := c.Validate()
	if err != nil {
		err = fmt.Errorf("limits: %w", err)
	}
	c = c.sensible()
	a := &Applied{host: host{name: c.Name}}
	if !c.none() {
		a.results = a.host.apply(c)
		a.tuned.tune(a.results)
	}
	return a, err
}

// Results tells of each limit that was asked for, in the order of the configuration. The slice is the caller's own.
func (a *Applied) Results() []Result {
	if a == nil {
		return nil
	}
	return slices.Clone(a.results)
}

// LogValue makes a group for [log/slog] with one member per limit.
func (a *Applied) LogValue() slog.Value {
	attrs := []slog.Attr{}
	for _, r := range a.Results() {
		key := r.Limit
		if r.Device != "" {
			key += " " + r.Device
		}
		attrs = append(attrs, slog.String(key, r.String()))
	}
	return slog.GroupValue(attrs...)
}

// Close takes the limits off again: groups that are still open are closed, which kills what is in them; the process goes
// back to where it was, with the children that it started outside of groups; its control group is removed, and the Go
// runtime gets its settings back. Calling Close again does nothing.
func (a *Applied) Close() error {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	var errs []error
	for _, g := range a.groups {
		errs = append(errs, g.close())
	}
	a.groups = nil
	a.tuned.restore()
	if err := errors.Join(append(errs, a.host.release())...); err != nil {
		return fmt.Errorf("remove limits: %w", err)
	}
	return nil
}
