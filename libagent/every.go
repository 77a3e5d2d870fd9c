package libagent

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// job is what an agent does again and again on its own.
type job struct {
	name     string
	interval time.Duration
	fn       func(ctx context.Context, ag *Agent) error
}

// Every has fn run every interval, for the first time one interval after the start, connected or not. A run never
// overlaps the one before: one that takes longer than the interval delays the next. An error or a panic is logged and
// the next run comes as planned; ctx ends when the agent stops. Starts are spread by up to a tenth of the interval, so
// that a fleet that was started together does not report together.
//
// To be called in Setup; the interval stays as it is then.
func (ag *Agent) Every(name string, interval time.Duration, fn func(ctx context.Context, ag *Agent) error) {
	ag.beforeStart("Every")
	if interval <= 0 {
		ag.setupError(fmt.Errorf("job %q: interval %v is not positive", name, interval))
		return
	}
	ag.jobs = append(ag.jobs, &job{name, interval, fn})
}

// run runs a job until ctx is done.
func (j *job) run(ctx context.Context, ag *Agent) {
	timer := time.NewTimer(j.interval + part(j.interval/10))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		begin := time.Now()
		err := ag.guard(j.name, "", func() error { return j.fn(ctx, ag) })
		if err != nil && !errors.Is(err, context.Canceled) {
			ag.log.Warn("job failed", "job", j.name, "error", err)
		}
		timer.Reset(max(j.interval-time.Since(begin), 0))
	}
}
