package limit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup is a group of children that is a control group, in one tree or in several.
type cgroup struct {
	places    []place
	cloneInto bool // the kernel can make a process in the place of version 2
	shielded  bool // its processes are the first to die for want of memory
}

// place is a group's directory in a tree.
type place struct {
	tree *hierarchy
	dir  string
}

var _ members = (*cgroup)(nil)

func (g *cgroup) in(tree *hierarchy) bool {
	return slices.ContainsFunc(g.places, func(p place) bool { return p.tree == tree })
}

// start has the kernel make the process in its group, where it can: in a tree of version 2 since Linux 5.7. Into other
// groups it is put while it is stopped, before its first instruction. So it is with a group that was killed once: kernels
// since 6.14, and older ones that were maintained in 2025, kill whatever is made in a group that was killed more often than
// the group of the process that makes it.
func (g *cgroup) start(cmd *exec.Cmd) error {
	var later []place
	for _, p := range g.places {
		if p.tree.version == 1 || !g.cloneInto {
			later = append(later, p)
			continue
		}
		dir, err := os.Open(p.dir)
		if err != nil {
			return err
		}
		defer dir.Close()
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(dir.Fd())
	}
	if len(later) > 0 {
		return startStopped(cmd, func(pid int) error { return g.admit(later, pid) })
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	return g.admit(nil, cmd.Process.Pid)
}

// admit puts a process into places, and offers it to the kernel as the one to kill when memory is short.
func (g *cgroup) admit(places []place, pid int) error {
	for _, p := range places {
		// A fork beyond the limit of processes fails, but a move does not.
		if most := field(p.dir, "pids.max", ""); most > 0 && field(p.dir, "pids.current", "") >= most {
			return unix.EAGAIN
		}
		if err := write(p.dir, "cgroup.procs", strconv.Itoa(pid)); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	if g.shielded {
		// It may have ended; and raising is allowed to everybody.
		_ = write("/proc/"+strconv.Itoa(pid), "oom_score_adj", "1000")
	}
	return nil
}

// kill kills at once what is in the group: with the kernel's own means since Linux 5.14, else frozen first, so that
// nothing is forked meanwhile.
func (g *cgroup) kill() error {
	for _, p := range g.places {
		if p.tree.version == 2 && exists(p.dir, "cgroup.kill") {
			g.cloneInto = false // see start
			return write(p.dir, "cgroup.kill", "1")
		}
	}
	return g.killFrozen()
}

// killFrozen kills what is in the group one by one.
func (g *cgroup) killFrozen() error {
	freezer := g.places[0]
	for _, p := range g.places {
		if exists(p.dir, "freezer.state") || exists(p.dir, "cgroup.freeze") {
			freezer = p
		}
	}
	freezer.freeze()
	defer freezer.thaw()
	list, err := freezer.pids()
	if err != nil {
		return err
	}
	for _, pid := range list {
		if pid == 0 || pid == os.Getpid() {
			continue // of another namespace, or moved there by somebody else
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill process %d: %w", pid, err)
		}
	}
	return nil
}

// freeze stops what is in the group, if there is a freezer. A process that hangs in the kernel cannot be stopped; it is
// waited for no longer than a moment, and cannot fork either.
func (p place) freeze() {
	for range 50 {
		if p.tree.version == 1 {
			_ = write(p.dir, "freezer.state", "FROZEN") // again: what was forked meanwhile would hold it up
			if state, err := read(p.dir, "freezer.state"); err != nil || state == "FROZEN" {
				return
			}
		} else {
			_ = write(p.dir, "cgroup.freeze", "1")
			if field(p.dir, "cgroup.events", "frozen") == 1 {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
}

func (p place) thaw() {
	if p.tree.version == 1 {
		_ = write(p.dir, "freezer.state", "THAWED")
	} else {
		_ = write(p.dir, "cgroup.freeze", "0")
	}
}

// pids lists the processes in the group and below it.
func (p place) pids() ([]int, error) {
	return pidsBelow(p.dir)
}

func pidsBelow(dir string) ([]int, error) {
	list, err := pids(dir)
	if err != nil {
		return nil, err
	}
	for _, child := range children(dir) {
		more, err := pidsBelow(child)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

func (g *cgroup) usage() (Usage, error) {
	var u Usage
	list, err := g.places[0].pids()
	u.Processes = len(list)
	for _, p := range g.places {
		if p.tree.version == 2 {
			u.CPU = max(u.CPU, time.Duration(field(p.dir, "cpu.stat", "usage_usec"))*time.Microsecond)
			u.MemoryPeak = max(u.MemoryPeak, field(p.dir, "memory.peak", ""))
			u.OOMKills = max(u.OOMKills, field(p.dir, "memory.events", "oom_kill"))
		} else {
			u.CPU = max(u.CPU, time.Duration(field(p.dir, "cpuacct.usage", "")))
			u.MemoryPeak = max(u.MemoryPeak, field(p.dir, "memory.max_usage_in_bytes", ""))
			u.OOMKills = max(u.OOMKills, field(p.dir, "memory.oom_control", "oom_kill"))
		}
		u.ForksDenied = max(u.ForksDenied, field(p.dir, "pids.events", "max"))
	}
	return u, err
}

// patience is how long close waits for killed processes to end.
const patience = 5 * time.Second

func (g *cgroup) close() (Usage, error) {
	err := g.kill()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		left, e := g.places[0].pids()
		if e != nil || len(left) == 0 {
			err = errors.Join(err, e)
			break
		}
		if time.Now().After(deadline) {
			err = errors.Join(err, fmt.Errorf("%d processes of %s do not end, process %d is one", len(left), filepath.Base(g.places[0].dir), left[0]))
			break
		}
		time.Sleep(pause)
	}
	u, e := g.usage()
	err = errors.Join(err, e)
	if err != nil {
		return u, err
	}
	for _, p := range g.places {
		err = errors.Join(err, removeTree(p.dir))
	}
	return u, err
}
