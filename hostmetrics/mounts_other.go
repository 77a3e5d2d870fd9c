//go:build !linux

package hostmetrics

import (
	"context"
	"time"

	"github.com/shirou/gopsutil/v3/disk"
)

// mount is one file system that is mounted.
type mount struct {
	device  string
	point   string
	fstype  string
	options []string
}

// mounts returns the file systems that hold data.
func (c *Collector) mounts(ctx context.Context) ([]mount, error) {
	all, err := disk.PartitionsWithContext(ctx, false)
	if len(all) > 0 {
		err = nil // some of them
	}
	var list []mount
	seen := make(map[string]bool)
	for _, p := range all {
		if !seen[p.Mountpoint] && len(list) < maxEntries {
			seen[p.Mountpoint] = true
			list = append(list, mount{p.Device, p.Mountpoint, p.Fstype, p.Opts})
		}
	}
	return list, err
}

// readPartition says how large a file system is.
func (c *Collector) readPartition(m mount) (func(*Static), error) {
	s, err := disk.Usage(m.point)
	if err != nil {
		return nil, err
	}
	p := Partition{Mount: clip(m.point, maxName), FSType: clip(m.fstype, maxName), Total: s.Total}
	for _, o := range m.options[:min(len(m.options), 64)] {
		p.Options = append(p.Options, clip(o, maxName))
	}
	if s.InodesTotal > 0 {
		p.Inodes = &s.InodesTotal
	}
	return func(st *Static) { st.Partitions = append(st.Partitions, p) }, nil
}

// readPartitionUsage says how full a file system is, and how busy its disk.
func (c *Collector) readPartitionUsage(m mount, io map[string]*IO) (func(*Usage), error) {
	s, err := disk.Usage(m.point)
	if err != nil {
		return nil, err
	}
	p := PartitionUsage{Mount: clip(m.point, maxName), Used: s.Used, Free: s.Free, IO: io[m.device]}
	p.Share = share(float64(s.Used), float64(s.Used)+float64(s.Free))
	if s.InodesTotal > 0 {
		p.Inodes = &InodeUsage{s.InodesUsed, s.InodesFree, share(float64(s.InodesUsed), float64(s.InodesTotal))}
	}
	return func(u *Usage) { u.Partitions = append(u.Partitions, p) }, nil
}

// diskCounters is what the disks have moved, by device.
type diskCounters = map[string]disk.IOCountersStat

func (c *Collector) readDiskCounters(ctx context.Context) (diskCounters, error) {
	return disk.IOCountersWithContext(ctx)
}

// readIO says how busy each disk is: what its counters have grown since the look before.
func (c *Collector) readIO(ctx context.Context) map[string]*IO {
	now, err := bounded(ctx, c, diskTraffic, c.readDiskCounters)
	c.outcome(diskTraffic, err)
	if err != nil {
		return nil
	}
	at := time.Now()
	base, ok := c.traffic.add(at, now)
	all := make(map[string]*IO, len(now))
	for dev, d := range now {
		io := &IO{InProgress: d.IopsInProgress}
		if b, had := base.value[dev]; ok && had {
			io.ReadPerSecond = perSecond(b.ReadBytes, d.ReadBytes, 64, 1, at.Sub(base.at))
			io.WritePerSecond = perSecond(b.WriteBytes, d.WriteBytes, 64, 1, at.Sub(base.at))
		}
		all[dev] = io
	}
	return all
}
