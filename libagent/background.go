package libagent

import (
	"context"
	"errors"
)

// background is a function of the author that runs beside everything else.
type background struct {
	name string
	fn   func(ctx context.Context, ag *Agent) error
}

// Go runs fn on a goroutine of its own that the agent waits for when it stops: in Setup as soon as that has ended well,
// later at once. ctx ends when the agent stops. An error or a panic is logged, and ends nothing else; what is to go on
// after an error goes on by itself, or is a job of [Agent.Every].
//
// The only error is [ErrStopping]: fn does not run then.
func (ag *Agent) Go(name string, fn func(ctx context.Context, ag *Agent) error) error {
	ag.mu.Lock()
	ctx := ag.jobsCtx
	if ctx == nil {
		ag.later = append(ag.later, background{name, fn})
	}
	ag.mu.Unlock()
	if ctx == nil {
		return nil
	}
	return ag.goNow(ctx, background{name, fn})
}

// startBackground starts what Setup has asked for, and lets Go start the rest at once.
func (ag *Agent) startBackground(ctx context.Context) {
	ag.mu.Lock()
	ag.jobsCtx = ctx
	later := ag.later
	ag.later = nil
	ag.mu.Unlock()
	for _, b := range later {
		_ = ag.goNow(ctx, b) // nothing has stopped yet
	}
}

func (ag *Agent) goNow(ctx context.Context, b background) error {
	run := func() {
		err := ag.guard(b.name, "", func() error { return b.fn(ctx, ag) })
		if err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
			ag.log.Warn("background function failed", "name", b.name, "error", err)
		}
	}
	if !ag.work.start(b.name, run) {
		return ErrStopping
	}
	return nil
}
