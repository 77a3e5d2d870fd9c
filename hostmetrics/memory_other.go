//go:build !linux

package hostmetrics

import (
	"context"

	"github.com/shirou/gopsutil/v3/mem"
)

// readMemory says how much memory there is.
func (c *Collector) readMemory(ctx context.Context) (func(*Static), error) {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	swap, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return func(s *Static) { s.Memory = Memory{m.Total, swap.Total} }, nil
}

// readMemoryUsage says how full the memory is.
func (c *Collector) readMemoryUsage(ctx context.Context) (func(*Usage), error) {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	r := &MemoryUsage{Used: m.Used, Free: m.Free, Available: m.Available, Share: share(float64(m.Used), float64(m.Total))}
	var s *SwapUsage
	if swap, err := mem.SwapMemoryWithContext(ctx); err == nil && swap.Total > 0 {
		s = &SwapUsage{Used: swap.Used, Free: swap.Free}
	}
	return func(u *Usage) { u.Memory, u.Swap = r, s }, nil
}
