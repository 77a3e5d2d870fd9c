package load

import (
	"context"
	"errors"
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

// memoryOf returns the memory of a server.
func memoryOf(s *Server) (m memory, err error) {
	if s.API != "" {
		heap, err1 := s.Metric("go_memstats_heap_alloc_bytes")
		stacks, err2 := s.Metric("go_memstats_stack_inuse_bytes")
		if err := errors.Join(err1, err2); err != nil {
			return m, err
		}
		m.inUse = heap + stacks
	}
	rss, err := s.RSS()
	m.rss = float64(rss)
	return m, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
