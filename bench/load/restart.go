package load

import (
	"context"
	"fmt"
	"time"
)

// comeback is how a fleet came back after its server was killed.
type comeback struct {
	all   time.Duration // until the last one was back, since the kill
	crowd float64       // the part of the fleet that came in the busiest second
	Came  []int
}

// restart kills the server of a fleet that has settled, starts it again when it was down for some time, and waits until all
// agents are back.
func restart(ctx context.Context, ws workers, s *Server, o order, settle, down time.Duration) (c comeback, err error) {
	o.Do, o.Addr, o.Prefix = "fleet", s.Addr, "fleet"
	if _, err := ws.all(o); err != nil {
		return c, err
	}
	if err := pause(ctx, settle); err != nil {
		return c, err
	}
	killed := time.Now()
	if err := s.Kill(); err != nil {
		return c, err
	}
	if err := pause(ctx, down); err != nil {
		return c, err
	}
	if err := s.start(ctx); err != nil {
		return c, err
	}
	o.Do, o.Since = "back", killed
	r, err := ws.all(o)
	if err != nil {
		return c, fmt.Errorf("after the kill: %w", err)
	}
	c.Came = r.Came
	for second, n := range r.Came {
		if n > 0 {
			c.all = time.Duration(second+1) * time.Second
		}
		c.crowd = max(c.crowd, float64(n)/float64(r.N))
	}
	o.Do = "drop"
	_, err = ws.all(o)
	return c, err
}
