package hostmetrics

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// ticks is in how many parts the kernel divides a second where it tells of CPU time: 100 on every system that Go runs on.
const ticks = 100

// processKey is a process: a number is given again when the process has ended.
type processKey struct {
	pid   int32
	start uint64 // ticks after the start of the machine
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
	name string
	time processTime
}

// listProcesses reads what all processes use, and then more of those that are wanted.
func (c *Collector) listProcesses(ctx context.Context, q ProcessQuery) ([]Process, error) {
	h, err := bounded(ctx, c, "host of processes", c.readProcessHost)
	if err != nil {
		return nil, err
	}
	all, base, err := c.use(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		p := &all[i]
		b, ok := base[p.key]
		if !ok { // it started since
			b = processTime{0, h.started.Add(time.Duration(p.key.start) * time.Second / ticks)}
		}
		if span := p.time.at.Sub(b.at).Seconds(); span > 0 && p.time.seconds > b.seconds {
			p.CPU = (p.time.seconds - b.seconds) / max(span, 1.0/ticks) * 100
		}
		p.Memory = share(float64(p.RSS), float64(h.memory))
	}
	slices.SortFunc(all, func(a, b found) int { return byUse(&a.Process, &b.Process) })
	return c.details(ctx, all, len(top(all, q.Top)), q.PerSecond)
}

// processHost is what the figures of processes are shares of.
type processHost struct {
	started time.Time
	memory  uint64 // bytes
}

func (c *Collector) readProcessHost(context.Context) (h processHost, err error) {
	up, err := c.uptime()
	if err != nil {
		return h, err
	}
	m, err := c.meminfo()
	return processHost{started: time.Now().Add(-up), memory: m.total}, err
}

// use reads what all processes have used, now and at a time before that.
func (c *Collector) use(ctx context.Context) ([]found, map[processKey]processTime, error) {
	for {
		pids, err := bounded(ctx, c, "processes", c.pids)
		if err != nil {
			return nil, nil, err
		}
		all := make([]found, 0, len(pids))
		err = each(ctx, c, pids, c.readUse, func(some []found) error {
			all = append(all, some...)
			return nil
		})
		if err != nil {
			return nil, nil, err
		}
		times := make(map[processKey]processTime, len(all))
		for _, p := range all {
			times[p.key] = p.time
		}
		if base, ok := c.processes.add(time.Now(), times); ok {
			return all, base.value, nil
		}
		if err := c.processes.wait(ctx); err != nil {
			return nil, nil, err
		}
	}
}

// readUse reads the stat of a process; one that has ended is none.
func (c *Collector) readUse(f *files, pid int32) (found, bool) {
	text, err := f.read(c.path("proc", strconv.Itoa(int(pid)), "stat"))
	if err != nil {
		return found{}, false
	}
	p, err := parseProcess(text)
	if err != nil || p.ID != pid {
		return found{}, false
	}
	p.time.at = time.Now()
	return p, true
}

// parseProcess reads /proc/PID/stat: number, name in parentheses, state, parent, … The name may hold anything, parentheses too.
func parseProcess(text []byte) (found, error) {
	var p found
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 1 || end < open {
		return p, fmt.Errorf("no name in %q", clip(string(text), maxName))
	}
	words := bytes.Fields(text[end+1:])
	if len(words) < 22 {
		return p, fmt.Errorf("only %d values behind the name", len(words))
	}
	pid, err := strconv.ParseInt(string(bytes.TrimSpace(text[:open])), 10, 32)
	var n [6]uint64
	for i, at := range [...]int{1, 11, 12, 19, 20, 21} { // parent, user time, system time, start, size, pages in memory
		if n[i], _ = strconv.ParseUint(string(words[at]), 10, 64); err != nil {
			return p, err
		}
	}
	p.ID, p.Parent, p.name = int32(pid), int32(min(n[0], 1<<31-1)), string(text[open+1:end])
	p.key = processKey{p.ID, min(n[3], 1<<40)}
	p.time.seconds = (float64(n[1]) + float64(n[2])) / ticks
	p.VMS = n[4]
	if page := uint64(os.Getpagesize()); n[5] < 1<<40 {
		p.RSS = n[5] * page
	}
	return p, nil
}

// details reads the rest of the first n of the given processes. In the place of those that have ended meanwhile, the next are taken.
func (c *Collector) details(ctx context.Context, all []found, n, perSecond int) ([]Process, error) {
	inet, err := bounded(ctx, c, "sockets of processes", c.inetSockets)
	c.outcome("sockets of processes", err)
	names, err := bounded(ctx, c, "names of users", c.userNames)
	c.outcome("names of users", err)
	pace := newPace(perSecond)
	list := make([]Process, 0, n)
	for len(list) < n && len(all) > 0 {
		some := all[:min(n-len(list), len(all))]
		all = all[len(some):]
		byPID := make(map[int32]*found, len(some))
		pids := make([]int32, 0, len(some))
		for i := range some {
			byPID[some[i].ID] = &some[i]
			pids = append(pids, some[i].ID)
		}
		err = each(ctx, c, pids, func(f *files, pid int32) (Process, bool) {
			p := byPID[pid].Process
			return p, c.readDetails(f, byPID[pid].name, &p, names, inet)
		}, func(more []Process) error {
			list = append(list, more...)
			return pace.wait(ctx, len(more))
		})
		if err != nil {
			return list, err
		}
	}
	return list, nil
}

// readDetails reads who a process is, and its sockets. It says whether the process is there.
func (c *Collector) readDetails(f *files, name string, p *Process, users map[string]string, inet map[uint64]inetSocket) bool {
	dir, err := c.openProcess(p.ID)
	if err != nil {
		return false
	}
	defer unix.Close(dir)
	text, err := f.readAt(dir, "status")
	if err != nil {
		return false
	}
	if words := bytes.Fields(valueOf(text, "\nUid:")); len(words) > 1 {
		p.User = string(words[1]) // the one whose rights it has
		if n, ok := users[p.User]; ok {
			p.User = n
		}
	}
	p.Swap = kilobytes(string(bytes.TrimSpace(valueOf(text, "\nVmSwap:"))))
	p.Command = []string{"[" + clip(name, maxName) + "]"}
	if text, err := f.readAt(dir, "cmdline"); err == nil && len(text) > 0 {
		p.Command = arguments(text)
	}
	// Those of others can only be seen with privileges.
	_ = sockets(dir, func(_ uint32, inode uint64) {
		s, ok := inet[inode]
		if !ok {
			return
		}
		p.Connections++
		if s.listen != 0 && len(p.Listen) < maxEntries {
			p.Listen = append(p.Listen, uint32(s.listen))
		}
	})
	return true
}

// valueOf returns what stands behind a key, up to the end of the line.
func valueOf(text []byte, key string) []byte {
	_, value, _ := bytes.Cut(text, []byte(key))
	value, _, _ = bytes.Cut(value, []byte("\n"))
	return value
}

// arguments takes /proc/PID/cmdline apart: each ends with a zero byte, unless the process has written something else there.
func arguments(text []byte) []string {
	text = bytes.TrimRight(text[:min(len(text), 2*maxCommand)], "\x00")
	return strings.Split(string(text), "\x00")
}
