package hostmetrics

import "time"

// What tests look at from within.
var (
	Growth    = growth
	PerSecond = perSecond
	Clip      = clip
	Command   = command
	MinSpan   = minSpan
)

// Window is a window of whole numbers.
type Window struct{ w window[int] }

// Add adds a look and returns the one that a rate is made with, -1 for none.
func (w *Window) Add(at time.Time, v int) int {
	if b, ok := w.w.add(at, v); ok {
		return b.value
	}
	return -1
}

// Top leaves the first n.
func Top(list []int, n int) []int { return top(list, n) }
