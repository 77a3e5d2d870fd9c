package libagent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
)

// Job is what an agent does again and again on its own, see [Agent.Every].
type Job struct {
	name     string
	fn       func(ctx context.Context, ag *Agent) error
	interval time.Duration      // at the start
	changed  chan time.Duration // holds the newest that the runner has not seen yet
	due      chan struct{}      // holds one when a run is due before its time
}

// Every has fn run every interval, for the first time one interval after the start, connected or not. A run never
// overlaps the one before: one that takes longer than the interval delays the next. An error or a panic is logged and
// the next run comes as planned; ctx ends when the agent stops. Starts are spread by up to a tenth of the interval, so
// that a fleet that was started together does not report together. Somebody who sets the clock of the host changes
// nothing: what counts is the time that has passed.
//
// To be called in Setup.
func (ag *Agent) Every(name string, interval time.Duration, fn func(ctx context.Context, ag *Agent) error) *Job {
	ag.beforeStart("Every")
	j := &Job{name: name, fn: fn, interval: interval, changed: make(chan time.Duration, 1), due: make(chan struct{}, 1)}
	if interval <= 0 {
		ag.setupError(fmt.Errorf("job %q: interval %v is not positive", name, interval))
		return j
	}
	ag.jobs = append(ag.jobs, j)
	return j
}

// Reset changes the interval, which counts from now on, or from the beginning of a run that is going on. With 0 or less
// there is none until the next Reset. It may be called at any time, by the job too.
func (j *Job) Reset(interval time.Duration) {
	for {
		select {
		case j.changed <- interval:
			return
		case <-j.changed: // one that was not seen yet
		}
	}
}

// Now has the job run at once, also while it has no interval: in Setup, as soon as that has ended; while it runs, once more after
// that. The next run comes an interval later, spread as after a start. It may be called at any time, by the job too.
func (j *Job) Now() {
	select {
	case j.due <- struct{}{}:
	default: // it is due already
	}
}

// run runs a job until ctx is done.
func (j *Job) run(ctx context.Context, ag *Agent) {
	interval := j.interval
	timer := time.NewTimer(plus(interval, part(interval/10)))
	defer timer.Stop()
	for {
		spread := time.Duration(0)
		select {
		case interval = <-j.changed:
			timer.Stop()
			if interval > 0 {
				timer.Reset(interval)
			}
			continue
		case <-j.due:
			timer.Stop()
			spread = part(interval / 10)
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		begin := time.Now()
		err := ag.guard(j.name, "", func() error { return j.fn(ctx, ag) })
		if err != nil && !(ctx.Err() != nil && errors.Is(err, context.Canceled)) {
			ag.log.Warn("job failed", "job", j.name, "error", err)
		}
		select {
		case interval = <-j.changed:
		default:
		}
		if interval > 0 {
			timer.Reset(plus(max(interval-time.Since(begin), 0), spread))
		}
	}
}

// plus adds what is not negative. A job whose interval is as long as one can be runs when it is asked to alone.
func plus(a, b time.Duration) time.Duration {
	if b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}
