package hostmetrics

import (
	"cmp"
	"context"
	"slices"
)

// Process is one process.
type Process struct {
	ID          int32
	Parent      int32
	User        string
	CPU         float64  // percent of one core, since the look before or since it started
	RSS         uint64   // bytes in memory
	VMS         uint64   // bytes of address space
	Swap        uint64   // bytes; Linux only
	Memory      float64  // RSS, percent of the machine's memory
	Command     []string // with its arguments; what the kernel runs has its name in brackets
	Listen      []uint32 // TCP ports, sorted
	Connections int      // TCP and UDP sockets; of processes of others only with the privilege to see them
}

// ProcessQuery chooses processes. The zero value means all, as fast as they come.
type ProcessQuery struct {
	// Top is how many are wanted, those that use the CPU most, then those that use the memory most. By default, all of them,
	// and no more than [MaxProcesses].
	Top int

	// PerSecond is how many are looked at in a second, to spread the work. By default, as many as come.
	PerSecond int
}

// Processes lists processes, those that use the CPU most first. The first call waits half a second for rates. It fails when the
// list of them cannot be had, or when ctx ends.
func (c *Collector) Processes(ctx context.Context, q ProcessQuery) ([]Process, error) {
	list, err := c.listProcesses(ctx, q)
	if err != nil {
		return nil, err
	}
	left := texts(maxText)
	for i := range list {
		p := &list[i]
		p.User = left.take(p.User, maxName)
		p.Command = command(p.Command, min(maxCommand, max(int(left), 0)))
		for _, a := range p.Command {
			left -= texts(len(a))
		}
		p.Listen = ports(p.Listen)
	}
	return list, nil
}

// top leaves the first n of a list that is sorted by use, all if n is not positive.
func top[T any](list []T, n int) []T {
	if n <= 0 || n > MaxProcesses {
		n = MaxProcesses
	}
	return list[:min(len(list), n)]
}

// byUse compares processes by how much they use.
func byUse(a, b *Process) int {
	return cmp.Or(cmp.Compare(b.CPU, a.CPU), cmp.Compare(b.RSS, a.RSS), cmp.Compare(a.ID, b.ID))
}

// ports sorts ports, each once.
func ports(p []uint32) []uint32 {
	slices.Sort(p)
	p = slices.Compact(p)
	return p[:min(len(p), maxEntries)]
}
