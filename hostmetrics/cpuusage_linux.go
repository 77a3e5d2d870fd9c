package hostmetrics

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"
)

// cpuTime is how long processors have worked, and how long they could have.
type cpuTime struct {
	busy, total uint64  // ticks of all processors
	group       float64 // seconds of the container, which is limited; 0 for none
	limit       float64 // processors
}

func (c *Collector) readCPUTime(context.Context) (cpuTime, error) {
	var f files
	text, err := f.read(c.path("proc/stat"))
	if err != nil {
		return cpuTime{}, err
	}
	t, err := parseStat(text)
	if err != nil {
		return t, err
	}
	if limit, ok := c.cpuLimit(); ok {
		if used, err := c.cpuInContainer(); err == nil {
			t.group, t.limit = used, limit
		}
	}
	return t, nil
}

// parseStat reads the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; what a guest had is in user.
func parseStat(text []byte) (cpuTime, error) {
	var t cpuTime
	line, _, _ := bytes.Cut(text, []byte("\n"))
	words := bytes.Fields(line)
	if len(words) < 5 || string(words[0]) != "cpu" {
		return t, fmt.Errorf("%q is no line of cpu times", clip(string(line), maxName))
	}
	for i, w := range words[1:min(len(words), 9)] {
		n, err := strconv.ParseUint(string(w), 10, 62)
		if err != nil {
			return t, err
		}
		t.total += n
		if i != 3 && i != 4 {
			t.busy += n
		}
	}
	return t, nil
}

// readCPUUsage says how busy the processors were since the look before.
func (c *Collector) readCPUUsage(ctx context.Context) (func(*Usage), error) {
	t, err := c.readCPUTime(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	base, ok := c.cpuTimes.add(now, t)
	if !ok {
		return nil, errAbsent
	}
	b := base.value
	// The kernel may take back some of the time that it has counted as waiting.
	if t.total <= b.total || t.busy < b.busy {
		return nil, errAbsent
	}
	used := share(float64(t.busy-b.busy), float64(t.total-b.total))
	if t.limit > 0 && b.limit > 0 && t.group >= b.group {
		used = share(t.group-b.group, now.Sub(base.at).Seconds()*t.limit)
	}
	return func(u *Usage) { u.CPU = &used }, nil
}
