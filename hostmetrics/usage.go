package hostmetrics

import (
	"cmp"
	"context"
	"slices"
)

// Usage is how much of a machine is in use.
type Usage struct {
	CPU        *float64 // percent of all processors, or of those that a container may use, since the look before
	Load       *Load    // nil on Windows
	Memory     *MemoryUsage
	Swap       *SwapUsage // nil without swap
	Partitions []PartitionUsage
	Interfaces []InterfaceUsage
}

// Load is how many tasks ran or waited to run, on average.
type Load struct {
	One, Five, Fifteen float64 // over so many minutes
}

// MemoryUsage is how full the memory is, in bytes. In a container that is limited, it is of what that may use.
type MemoryUsage struct {
	Used      uint64 // without buffers and caches
	Free      uint64
	Available uint64  // what a new program could have
	Share     float64 // used, percent
}

// SwapUsage is how full the swap is, in bytes.
type SwapUsage struct {
	Used, Free uint64
}

// PartitionUsage is how full and how busy a file system is.
type PartitionUsage struct {
	Mount  string // as in [Partition]
	Used   uint64 // bytes
	Free   uint64 // bytes, for those without privileges
	Share  float64
	Inodes *InodeUsage
	IO     *IO // nil where no disk is known for it
}

// InodeUsage is how many inodes of a file system are in use.
type InodeUsage struct {
	Used, Free uint64
	Share      float64 // used, percent
}

// IO is how busy a disk is.
type IO struct {
	ReadPerSecond  *float64 // bytes; nil before the second look, and when its counter was reset
	WritePerSecond *float64 // bytes
	InProgress     uint64   // operations that wait
}

// InterfaceUsage is what a network interface has moved since it came up. These are the kernel's counters: they start again when the
// interface is made anew.
type InterfaceUsage struct {
	Name                     string // as in [Interface]
	BytesSent, BytesRecv     uint64
	PacketsSent, PacketsRecv uint64
}

// Usage says how much of the machine is in use. Rates are of the time since the look before, half a second at least: the first call
// after [New] waits for that. It fails only when ctx ends.
func (c *Collector) Usage(ctx context.Context) (Usage, error) {
	if err := c.cpuTimes.wait(ctx); err != nil {
		return Usage{}, err
	}
	var u Usage
	items := []item[Usage]{
		{name: cpuUsage, read: c.readCPUUsage},
		{name: "load", read: c.readLoad},
		{name: "memory usage", read: c.readMemoryUsage},
		{name: "traffic", read: c.readTraffic},
	}
	io := c.readIO(ctx)
	for _, m := range c.listMounts(ctx) {
		items = append(items, item[Usage]{"usage of " + m.point, func(context.Context) (func(*Usage), error) {
			return c.readPartitionUsage(m, io)
		}, true})
	}
	err := collect(ctx, c, &u, items)
	slices.SortFunc(u.Partitions, func(a, b PartitionUsage) int { return cmp.Compare(a.Mount, b.Mount) })
	return u, err
}

func sortPartitions(p []Partition) {
	slices.SortFunc(p, func(a, b Partition) int { return cmp.Compare(a.Mount, b.Mount) })
}
