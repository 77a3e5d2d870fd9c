//go:build !linux

package hostmetrics

import (
	"context"
	"slices"
	"time"

	"github.com/shirou/gopsutil/v3/mem"
	"github.com/shirou/gopsutil/v3/net"
	"github.com/shirou/gopsutil/v3/process"
)

// processKey is a process: a number is given again when the process has ended.
type processKey struct {
	pid   int32
	start int64 // milliseconds
}

// processTime is how long a process has had a processor, in seconds, and when that was read.
type processTime struct {
	seconds float64
	at      time.Time
}

// found is a process on the way to a report.
type found struct {
	Process
	key  processKey
	time processTime
	from *process.Process
}

// listProcesses reads what all processes use, and then more of those that are wanted.
func (c *Collector) listProcesses(ctx context.Context, q ProcessQuery) ([]Process, error) {
	all, base, err := c.use(ctx)
	if err != nil {
		return nil, err
	}
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		p := &all[i]
		b, ok := base[p.key]
		if !ok { // it started since
			b.at = time.UnixMilli(p.key.start)
		}
		if span := p.time.at.Sub(b.at).Seconds(); span > 0 && p.time.seconds > b.seconds {
			p.CPU = (p.time.seconds - b.seconds) / max(span, 0.01) * 100
		}
		p.Memory = share(float64(p.RSS), float64(m.Total))
	}
	slices.SortFunc(all, func(a, b found) int { return byUse(&a.Process, &b.Process) })
	listen, count := c.socketsByProcess(ctx)
	pace := newPace(q.PerSecond)
	var list []Process
	for _, f := range top(all, q.Top) {
		p := f.Process
		p.User, _ = f.from.UsernameWithContext(ctx) // those of others only with privileges
		if args, err := f.from.CmdlineSliceWithContext(ctx); err == nil && len(args) > 0 {
			p.Command = args
		} else if name, err := f.from.NameWithContext(ctx); err == nil {
			p.Command = []string{name}
		}
		p.Listen, p.Connections = listen[p.ID], count[p.ID]
		list = append(list, p)
		if err := pace.wait(ctx, 1); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// use reads what all processes have used, now and at a time before that.
func (c *Collector) use(ctx context.Context) ([]found, map[processKey]processTime, error) {
	for {
		running, err := bounded(ctx, c, "processes", process.ProcessesWithContext)
		if err != nil {
			return nil, nil, err
		}
		all := make([]found, 0, len(running))
		times := make(map[processKey]processTime, len(running))
		for _, r := range running {
			f := found{from: r}
			f.ID = r.Pid
			f.Parent, _ = r.PpidWithContext(ctx)
			start, _ := r.CreateTimeWithContext(ctx)
			f.key = processKey{r.Pid, start}
			if t, err := r.TimesWithContext(ctx); err == nil {
				f.time.seconds = t.User + t.System
			}
			f.time.at = time.Now()
			if m, err := r.MemoryInfoWithContext(ctx); err == nil && m != nil {
				f.RSS, f.VMS = m.RSS, m.VMS
			}
			all = append(all, f)
			times[f.key] = f.time
			if err := ctx.Err(); err != nil {
				return nil, nil, context.Cause(ctx)
			}
		}
		if base, ok := c.processes.add(time.Now(), times); ok {
			return all, base.value, nil
		}
		if err := c.processes.wait(ctx); err != nil {
			return nil, nil, err
		}
	}
}

// socketsByProcess returns the ports that processes listen on, and how many sockets they have.
func (c *Collector) socketsByProcess(ctx context.Context) (listen map[int32][]uint32, count map[int32]int) {
	const name = "sockets of processes"
	all, err := bounded(ctx, c, name, func(ctx context.Context) ([]net.ConnectionStat, error) {
		return net.ConnectionsWithContext(ctx, "inet")
	})
	c.outcome(name, err)
	listen, count = make(map[int32][]uint32), make(map[int32]int)
	for _, s := range all {
		count[s.Pid]++
		if s.Status == "LISTEN" && len(listen[s.Pid]) < maxEntries {
			listen[s.Pid] = append(listen[s.Pid], s.Laddr.Port)
		}
	}
	return listen, count
}
