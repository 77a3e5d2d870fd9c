//go:build !linux

package hostmetrics

import (
	"context"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/load"
)

// readCPU lists the processors.
func (c *Collector) readCPU(ctx context.Context) (func(*Static), error) {
	logical, err := cpu.CountsWithContext(ctx, true)
	if err != nil {
		return nil, err
	}
	p := CPU{Logical: logical}
	// More than their number has to be asked of a service, on Windows WMI, which may not answer.
	infos, err := cpu.InfoWithContext(ctx)
	if err == nil {
		p.Physical, err = cpu.CountsWithContext(ctx, false)
	}
	c.outcome("models of processors", err)
	// An entry is a package here.
	for n, i := range infos[:min(len(infos), maxEntries)] {
		for range min(max(int(i.Cores), 1), maxEntries) {
			at := len(p.Cores)
			p.Cores = append(p.Cores, Core{
				Processor: at, Core: at, Package: n, Model: clip(i.ModelName, maxName), Cores: int(i.Cores), MHz: max(i.Mhz, 0),
			})
		}
	}
	return func(s *Static) { s.CPU = p }, nil
}

// cpuTime is how long processors have worked, and how long they could have, in seconds.
type cpuTime struct{ busy, total float64 }

func (c *Collector) readCPUTime(ctx context.Context) (cpuTime, error) {
	all, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return cpuTime{}, err
	}
	if len(all) == 0 {
		return cpuTime{}, errAbsent
	}
	t := all[0]
	busy := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
	return cpuTime{busy, busy + t.Idle + t.Iowait}, nil
}

// readCPUUsage says how busy the processors were since the look before.
func (c *Collector) readCPUUsage(ctx context.Context) (func(*Usage), error) {
	t, err := c.readCPUTime(ctx)
	if err != nil {
		return nil, err
	}
	base, ok := c.cpuTimes.add(time.Now(), t)
	b := base.value
	if !ok || t.total <= b.total || t.busy < b.busy {
		return nil, errAbsent
	}
	used := share(t.busy-b.busy, t.total-b.total)
	return func(u *Usage) { u.CPU = &used }, nil
}

// readLoad says how many tasks ran or waited, on average. Windows does not count that.
func (c *Collector) readLoad(ctx context.Context) (func(*Usage), error) {
	if !hasLoad {
		return nil, errAbsent
	}
	l, err := load.AvgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	return func(u *Usage) { u.Load = &Load{l.Load1, l.Load5, l.Load15} }, nil
}
