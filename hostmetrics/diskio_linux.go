package hostmetrics

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"strconv"
	"time"
)

// diskCounters is what the disks have moved, by major:minor.
type diskCounters = map[string]diskCounter

type diskCounter struct {
	read, written, waiting uint64 // sectors, sectors, operations
}

const (
	// sector is what /proc/diskstats counts in, in bytes, whatever those of the disk are.
	sector = 512

	// counterBits is how large the kernel's counters are. A program of 64 bits runs on no kernel with smaller ones.
	counterBits = strconv.IntSize
)

func (c *Collector) readDiskCounters(context.Context) (diskCounters, error) {
	var f files
	text, err := f.read(c.path("proc/diskstats"))
	if err != nil {
		return nil, err
	}
	return parseDiskstats(text), nil
}

// parseDiskstats reads /proc/diskstats.
func parseDiskstats(text []byte) diskCounters {
	all := make(diskCounters)
	for line := range bytes.Lines(text) {
		w := bytes.Fields(line)
		if len(w) < 14 || len(all) >= 16<<10 {
			continue
		}
		var n [3]uint64
		good := true
		for i, at := range [...]int{5, 9, 11} {
			v, err := strconv.ParseUint(string(w[at]), 10, 64)
			n[i], good = v, good && err == nil
		}
		if good && (n[0]|n[1]|n[2]) != 0 {
			all[string(w[0])+":"+string(w[1])] = diskCounter{n[0], n[1], n[2]}
		}
	}
	return all
}

// readIO says how busy each disk is, by major:minor: what its counters have grown since the look before.
func (c *Collector) readIO(ctx context.Context) map[string]*IO {
	now, err := bounded(ctx, c, diskTraffic, c.readDiskCounters)
	if !errors.Is(err, fs.ErrNotExist) { // not in every container
		c.outcome(diskTraffic, err)
	}
	if err != nil {
		return nil
	}
	at := time.Now()
	base, ok := c.traffic.add(at, now)
	all := make(map[string]*IO, len(now))
	for dev, d := range now {
		io := &IO{InProgress: d.waiting}
		if ok {
			b := base.value[dev] // all zero: idle until now
			io.ReadPerSecond = perSecond(b.read, d.read, counterBits, sector, at.Sub(base.at))
			io.WritePerSecond = perSecond(b.written, d.written, counterBits, sector, at.Sub(base.at))
		}
		all[dev] = io
	}
	return all
}
