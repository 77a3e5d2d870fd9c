package hostmetrics

import (
	"context"
	"sync"
	"time"
)

// minSpan is the shortest time that rates are made of: over less, the steps of the kernel's clocks are seen.
const minSpan = 500 * time.Millisecond

// window keeps the last look at something, and the one before.
type window[T any] struct {
	mu           sync.Mutex // guards what follows
	last, before look[T]
}

type look[T any] struct {
	at    time.Time // monotonic; zero for none
	value T
}

// add keeps a look and returns the latest one that is at least minSpan older. Looks that follow each other more closely do not
// move the window: a report that somebody asks for right after another one covers the time of that one too.
func (w *window[T]) add(now time.Time, v T) (base look[T], ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range [...]look[T]{w.last, w.before} {
		if !ok && !l.at.IsZero() && now.Sub(l.at) >= minSpan {
			base, ok = l, true
		}
	}
	if w.last.at.IsZero() || now.Sub(w.last.at) >= minSpan {
		w.before, w.last = w.last, look[T]{now, v}
	}
	return base, ok
}

// wait waits until the first look is old enough to make a rate of.
func (w *window[T]) wait(ctx context.Context) error {
	w.mu.Lock()
	first, only := w.last.at, w.before.at.IsZero()
	w.mu.Unlock()
	if first.IsZero() || !only {
		return nil
	}
	return sleep(ctx, minSpan-time.Since(first))
}

// sleep waits, and no longer than ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// growth returns by how much a counter of so many bits has grown. One of 32 bits starts again behind its end; every other one that became
// smaller was reset, as that of a disk that was plugged in again, and says nothing about the time in between.
func growth(before, now uint64, counterBits int) (uint64, bool) {
	const end = 1 << 32
	switch {
	case now >= before:
		return now - before, true
	case counterBits == 32 && before < end && before > end/4*3 && now < end/4:
		return now + end - before, true
	}
	return 0, false
}

// perSecond returns the rate of a counter in so many bytes, nil when there is none.
func perSecond(before, now uint64, counterBits int, unit uint64, span time.Duration) *float64 {
	n, ok := growth(before, now, counterBits)
	if !ok || span <= 0 {
		return nil
	}
	v := float64(n) * float64(unit) / span.Seconds()
	return &v
}

// share returns a part in percent, between 0 and 100.
func share(part, whole float64) float64 {
	if whole <= 0 || part <= 0 {
		return 0
	}
	return min(part/whole*100, 100)
}
