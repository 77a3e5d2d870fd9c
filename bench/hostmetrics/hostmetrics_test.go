package hostmetrics_test

import (
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/hostmetrics"
	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
	gnet "github.com/shirou/gopsutil/v3/net"
	"github.com/shirou/gopsutil/v3/process"
)

// warm returns a collector that has had its first look.
func warm(b *testing.B) *hostmetrics.Collector {
	c := hostmetrics.New(nil)
	if _, err := c.Usage(b.Context()); err != nil {
		b.Fatal(err)
	}
	if _, err := c.Processes(b.Context(), hostmetrics.ProcessQuery{Top: 1}); err != nil {
		b.Fatal(err)
	}
	time.Sleep(time.Second)
	return c
}

func BenchmarkUsage(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		c := warm(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Usage(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gopsutil", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(b, second(cpu.Percent(0, false)))
			must(b, second(load.Avg()))
			must(b, second(mem.VirtualMemory()))
			must(b, second(mem.SwapMemory()))
			must(b, second(gnet.IOCounters(true)))
			must(b, second(disk.IOCounters()))
			parts, err := disk.Partitions(false)
			must(b, err)
			for _, p := range parts {
				must(b, second(disk.Usage(p.Mountpoint)))
			}
		}
	})
}

func BenchmarkProcesses(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		c := warm(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Processes(b.Context(), hostmetrics.ProcessQuery{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gopsutil", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			list, err := process.Processes()
			must(b, err)
			for _, p := range list { // of one that has ended meanwhile there is an error, and nothing more
				_, _ = p.Ppid()
				_, _ = p.Username()
				_, _ = p.CPUPercent()
				_, _ = p.MemoryInfo()
				_, _ = p.MemoryPercent()
				_, _ = p.CmdlineSlice()
				_, _ = p.Connections()
			}
		}
	})
}

func BenchmarkConnections(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		c := warm(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Connections(b.Context(), hostmetrics.ConnectionQuery{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("gopsutil", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			must(b, second(gnet.Connections("all")))
		}
	})
}

func second[T any](_ T, err error) error { return err }

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}
