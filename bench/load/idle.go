package load

import (
	"context"
	"fmt"
	"time"
)

// memory is what one idle agent costs a server, in bytes.
type memory struct {
	rss   float64 // resident memory
	inUse float64 // heap and stacks in use, for our own server
}

// idleMemory connects a crowd, and another one after all have left, and returns what each agent cost then.
func idleMemory(ctx context.Context, ws workers, s *Server, o order, settle time.Duration) (costs [2]memory, err error) {
	o.Addr, o.Parallel = s.Addr, 64
	// What the first of all agents need is the server's: code that is read from the disk, tables, pools.
	first := o
	first.N = min(o.N, 200)
	for _, first.Do = range []string{"connect", "drop"} {
		first.Prefix = "first"
		if _, err := ws.all(first); err != nil {
			return costs, err
		}
	}
	if err := pause(ctx, settle/4); err != nil {
		return costs, err
	}
	empty, err := memoryOf(s)
	if err != nil {
		return costs, err
	}
	for i := range costs {
		o.Do, o.Prefix = "connect", fmt.Sprintf("crowd-%d", i)
		if _, err := ws.all(o); err != nil {
			return costs, err
		}
		if err := pause(ctx, settle); err != nil {
			return costs, err
		}
		full, err := memoryOf(s)
		if err != nil {
			return costs, err
		}
		costs[i] = memory{(full.rss - empty.rss) / float64(o.N), (full.inUse - empty.inUse) / float64(o.N)}
		o.Do = "drop"
		if _, err := ws.all(o); err != nil {
			return costs, err
		}
		if err := pause(ctx, settle/4); err != nil {
			return costs, err
		}
	}
	return costs, nil
}

// memoryOf returns the memory of a server. What is resident is looked at first: to tell the rest, the server makes some
// megabytes of metrics of ten thousand agents.
func memoryOf(s *Server) (m memory, err error) {
	rss, err := s.RSS()
	if err != nil || s.API == "" {
		return memory{rss: float64(rss)}, err
	}
	values, err := s.Metrics("go_memstats_heap_alloc_bytes", "go_memstats_stack_inuse_bytes")
	if err != nil {
		return m, err
	}
	return memory{float64(rss), values[0] + values[1]}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
