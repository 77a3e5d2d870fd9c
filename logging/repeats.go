package logging

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// maxRepeats bounds the messages that are remembered. Messages beyond it are logged, however often they repeat.
const maxRepeats = 1024

// sparing is the handler of a Log with repeats.
type sparing struct {
	*handler
	repeats *repeats
}

var _ slog.Handler = sparing{}

func (s sparing) Handle(ctx context.Context, r slog.Record) error {
	if !s.repeats.first(s.handler, &r) {
		return nil
	}
	return s.handler.Handle(ctx, r)
}

func (s sparing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sparing{s.withAttrs(attrs), s.repeats}
}

func (s sparing) WithGroup(name string) slog.Handler {
	return sparing{s.withGroup(name), s.repeats}
}

// repeats lets the first of a burst of equal messages through and counts the others.
type repeats struct {
	window time.Duration

	mu      sync.Mutex // guards the fields below
	bursts  map[burstKey]*burst
	counted uint64
}

// burstKey is what makes messages equal. Attributes are left out: they differ when the same thing happens again.
type burstKey struct {
	level   slog.Level
	message string
}

type burst struct {
	began time.Time
	more  uint64   // messages after the first
	by    *handler // who logged the last of them
}

func newRepeats(window time.Duration) *repeats {
	return &repeats{window: window, bursts: map[burstKey]*burst{}}
}

// first tells whether r is to be logged.
func (s *repeats) first(h *handler, r *slog.Record) bool {
	key := burstKey{r.Level, r.Message}
	now := time.Now()
	s.mu.Lock()
	b := s.bursts[key]
	if b != nil && now.Sub(b.began) < s.window {
		b.more++
		b.by = h
		s.counted++
		s.mu.Unlock()
		return false
	}
	switch {
	case b != nil:
		over := *b
		*b = burst{began: now}
		s.mu.Unlock()
		s.report(key, over)
	case len(s.bursts) < maxRepeats:
		s.bursts[key] = &burst{began: now}
		s.mu.Unlock()
	default:
		s.mu.Unlock()
	}
	return true
}

// report logs how often a message was repeated.
func (s *repeats) report(key burstKey, b burst) {
	if b.more == 0 {
		return
	}
	r := slog.NewRecord(time.Now(), key.level, key.message, 0)
	r.AddAttrs(slog.Uint64("repeated", b.more), slog.Duration("within", s.window))
	_ = b.by.Handle(context.Background(), r) // it has no error
}

// run reports bursts that are over, until done is closed.
func (s *repeats) run(done <-chan struct{}) {
	t := time.NewTicker(max(s.window/2, 10*time.Millisecond))
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.sweep(func(b *burst) bool { return time.Since(b.began) >= s.window })
		case <-done:
			return
		}
	}
}

// flush reports every burst.
func (s *repeats) flush() {
	s.sweep(func(*burst) bool { return true })
}

// sweep forgets the bursts that are over and reports them.
func (s *repeats) sweep(over func(*burst) bool) {
	s.mu.Lock()
	ended := map[burstKey]burst{}
	for key, b := range s.bursts {
		if over(b) {
			ended[key] = *b
			delete(s.bursts, key)
		}
	}
	s.mu.Unlock()
	for key, b := range ended {
		s.report(key, b)
	}
}

func (s *repeats) total() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counted
}
