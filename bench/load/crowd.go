package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// heartbeat is how often an agent pings its server.
const heartbeat = 10 * time.Second

// crowd is many agents that are connected and say nothing but their heartbeat.
type crowd struct {
	agents []*Agent
	stop   chan struct{}
	beats  sync.WaitGroup
	failed atomic.Int64 // heartbeats that could not be sent
}

// gather connects n agents, so many of them at a time.
func gather(ctx context.Context, t Target, prefix string, n, parallel int) (*crowd, error) {
	c := &crowd{agents: make([]*Agent, n), stop: make(chan struct{})}
	err := sideBySide(ctx, n, parallel, func(ctx context.Context, i int) (err error) {
		c.agents[i], err = Connect(ctx, t, fmt.Sprintf("%s-%05d", prefix, i))
		return err
	})
	if err != nil {
		c.scatter()
		return nil, err
	}
	if t.Say != Nothing {
		c.beats.Go(c.beat)
	}
	return c, nil
}

// beat pings for one agent after the other, so that each has its turn within a heartbeat.
func (c *crowd) beat() {
	tick := time.NewTicker(max(heartbeat/time.Duration(max(len(c.agents), 1)), time.Millisecond))
	defer tick.Stop()
	perTick := len(c.agents)/int(heartbeat/time.Millisecond) + 1
	for i := 0; ; {
		select {
		case <-c.stop:
			return
		case <-tick.C:
		}
		for range perTick {
			if c.agents[i].Ping() != nil {
				c.failed.Add(1)
			}
			i = (i + 1) % len(c.agents)
		}
	}
}

// scatter closes all connections.
func (c *crowd) scatter() {
	close(c.stop)
	c.beats.Wait()
	for _, a := range c.agents {
		if a != nil {
			a.Close()
		}
	}
}

// sideBySide calls f for 0 to n-1, so many of them at a time, until one fails.
func sideBySide(ctx context.Context, n, parallel int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(parallel, n) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// churn has agents come and go for some time, so many of them at a time, and returns how many came.
func churn(ctx context.Context, t Target, prefix string, parallel int, d time.Duration) (int, error) {
	end := time.Now().Add(d)
	var came atomic.Int64
	err := sideBySide(ctx, parallel, parallel, func(ctx context.Context, i int) error {
		for n := 0; time.Now().Before(end) && ctx.Err() == nil; n++ {
			a, err := Connect(ctx, t, fmt.Sprintf("%s-%d-%d", prefix, i, n))
			if err != nil {
				return err
			}
			a.Close()
			came.Add(1)
		}
		return nil
	})
	return int(came.Load()), err
}
