package libagent

import (
	"context"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
	"github.com/shirou/gopsutil/v3/process"
)

// monitor measures the agent's own process.
type monitor struct {
	mu   sync.Mutex // guards proc, which remembers its last measurement
	proc *process.Process
}

// reportEvery reports with every new connection and every monitor.interval until ctx is done; the interval may change by
// a reload.
func (ag *Agent) reportEvery(ctx context.Context) {
	for {
		select {
		case <-ag.reportNow:
		case <-time.After(ag.basic().Monitor.Interval):
		case <-ctx.Done():
			return
		}
		if !ag.connected() {
			continue // a report tells of now: it is not kept for later
		}
		if err := ag.report(ctx); err != nil && ctx.Err() == nil {
			ag.log.Warn("report failed", "error", err)
		}
	}
}

// report sends the monitor report and has the author send his.
func (ag *Agent) report(ctx context.Context) error {
	if !*ag.basic().Monitor.Enabled {
		return nil
	}
	info := ag.agentInfo(ctx)
	b, err := wire.AgentInfo.Append(nil, "", &info)
	if err != nil {
		return err
	}
	ag.out.newest.put(wire.AgentInfo.Type(), conn.Bulk, b)
	if a, ok := ag.app.(Reporter); ok {
		return ag.guard("Report", "", func() error { return a.Report(ctx, ag) })
	}
	return nil
}

// agentInfo measures. What the system does not tell is 0.
func (ag *Agent) agentInfo(ctx context.Context) wire.AgentInfoPayload {
	info := wire.AgentInfoPayload{
		Version:   ag.app.Version(),
		GoVersion: runtime.Version(),
		Routines:  runtime.NumGoroutine(),
		Startup:   ag.begin.Unix(),
		HeapInUse: heapInUse(),
		GC:        gcQuantiles(),
	}
	info.CPUUsage, info.MemoryUsage, info.Threads = ag.mon.usage(ctx)
	s := ag.carried()
	info.InPackets, info.InBytes, info.OutPackets, info.OutBytes = s.InFrames, s.InBytes, s.OutFrames, s.OutBytes
	info.Reconnects = max(ag.connection().Connections-1, 0)
	info.ReadChanSize = ag.pendingRequests()
	info.WriteChanSize, _ = ag.out.count()
	for _, l := range ag.applied.Results() {
		info.Limits = append(info.Limits, wire.LimitResult{
			Limit: l.Limit, Device: clip(l.Device, maxPeerText/2), Want: l.Want, Holds: l.Holds, Mechanism: string(l.Mechanism), Note: clip(l.Note, maxPeerText),
		})
	}
	return info
}

// usage returns the CPU usage since the last call in percent of one core, the share of the host's memory in percent, and
// the number of threads.
func (m *monitor) usage(ctx context.Context) (cpu, mem float32, threads int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.proc == nil {
		var err error
		if m.proc, err = process.NewProcessWithContext(ctx, int32(os.Getpid())); err != nil {
			return 0, 0, 0
		}
	}
	if p, err := m.proc.PercentWithContext(ctx, 0); err == nil && !math.IsNaN(p) && !math.IsInf(p, 0) {
		cpu = float32(p)
	}
	if p, err := m.proc.MemoryPercentWithContext(ctx); err == nil {
		mem = p
	}
	n, _ := m.proc.NumThreadsWithContext(ctx)
	return cpu, mem, int(n)
}

// heapInUse returns the bytes of heap spans in use, as runtime.MemStats.HeapInuse does, without stopping the world.
func heapInUse() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() + s[1].Value.Uint64()
}

// gcQuantiles returns the pauses of the garbage collector since the start.
func gcQuantiles() wire.GCQuantiles {
	s := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&s)
	q := s.PauseQuantiles
	return wire.GCQuantiles{
		Q0: q[0].Seconds(), Q25: q[1].Seconds(), Q50: q[2].Seconds(), Q75: q[3].Seconds(), Q100: q[4].Seconds(),
	}
}

// pendingRequests returns how many requests run or wait.
func (ag *Agent) pendingRequests() int {
	n := 0
	for _, h := range ag.handlers {
		running, waiting := h.turns.counts()
		n += running + waiting
	}
	return n
}
