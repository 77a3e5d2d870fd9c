package hostmetrics

import (
	"context"
	"time"
)

// Options are what a collector can be told. The zero value works.
type Options struct {
	// Root is the folder under which proc, sys, etc and run are looked for, and where mounts are, so that a container can look
	// at its host. Linux only. By default, "/".
	Root string

	// Deadline is how long one item may take. By default, 2 s.
	Deadline time.Duration

	// Warn is told of each item that could not be collected. It may be called by several goroutines at once and must not
	// block. By default, nothing is told.
	Warn func(Warning)
}

// Collector collects. Its methods may be called by any number of goroutines at once.
type Collector struct {
	root     string
	deadline time.Duration
	warn     func(Warning)

	looks         chan struct{} // has room for those that are looked at
	hung          hung          // items
	hungProcesses hung
	faults        faults

	cpuTimes  window[cpuTime]
	traffic   window[diskCounters]
	processes window[map[processKey]processTime]
}

// New returns a collector. It takes a first look at what rates are made of, which takes the deadline if that hangs.
func New(o *Options) *Collector {
	if o == nil {
		o = &Options{}
	}
	c := &Collector{root: o.Root, deadline: o.Deadline, warn: o.Warn, looks: make(chan struct{}, maxLooks)}
	if c.root == "" {
		c.root = "/"
	}
	if c.deadline <= 0 {
		c.deadline = 2 * time.Second
	}
	if c.warn == nil {
		c.warn = func(Warning) {}
	}
	c.firstLook()
	return c
}

// firstLook has the first report cover the time from now on. Whatever fails fails again when it is asked for, and is told then.
func (c *Collector) firstLook() {
	ctx := context.Background()
	if t, err := bounded(ctx, c, cpuUsage, c.readCPUTime); err == nil {
		c.cpuTimes.add(time.Now(), t)
	}
	if d, err := bounded(ctx, c, diskTraffic, c.readDiskCounters); err == nil {
		c.traffic.add(time.Now(), d)
	}
}
