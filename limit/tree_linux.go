package limit

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tree is a group of children where there are no control groups. Its members are the processes that were started, what
// descends from them, what is in their sessions and process groups, and what has the group's mark in its environment:
// that finds a process that left its session and whose parents have ended.
//
// The program does not make itself the reaper of such orphans (PR_SET_CHILD_SUBREAPER): that is for the whole process,
// would add no orphan that the mark does not find, and would leave the zombies of every other child's children to a
// program that cannot know them.
type tree struct {
	mark    string
	leaders []process
}

var _ members = (*tree)(nil)

// markName is the variable in the environment of the members of a tree.
const markName = "JKFRAME_GROUP"

func newTree() *tree {
	return &tree{mark: fmt.Sprintf("%s=%016x%016x", markName, rand.Uint64(), rand.Uint64())}
}

func (t *tree) start(cmd *exec.Cmd) error {
	if !cmd.SysProcAttr.Setsid {
		cmd.SysProcAttr.Setpgid = true
	}
	cmd.Env = append(cmd.Environ(), t.mark)
	if err := cmd.Start(); err != nil {
		return err
	}
	leader, err := readProcess(cmd.Process.Pid)
	if err != nil {
		// Without /proc nothing can be found, and its process group is all that is known.
		leader = process{pid: cmd.Process.Pid}
	}
	t.leaders = append(t.leaders, leader)
	return nil
}

// living lists the members that have not ended.
func (t *tree) living() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	all := map[int]process{}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if p, err := readProcess(pid); err == nil { // it may have ended since
			all[pid] = p
		}
	}
	leads := map[int]bool{} // leaders that are there still, so that their numbers mean them
	for _, l := range t.leaders {
		if p, ok := all[l.pid]; ok && p.start == l.start {
			leads[l.pid] = true
		}
	}
	known := map[int]bool{}
	var list []process
	for pid, p := range all {
		if !p.zombie && t.has(all, leads, known, pid) {
			list = append(list, p)
		}
	}
	return list, nil
}

// has says whether a process is a member; known remembers the answers.
func (t *tree) has(all map[int]process, leads, known map[int]bool, pid int) bool {
	if is, ok := known[pid]; ok {
		return is
	}
	p, ok := all[pid]
	if !ok || pid == os.Getpid() {
		return false
	}
	known[pid] = false // in case that a number was used again while /proc was read, and parents go in a circle
	is := leads[pid] || leads[p.group] || leads[p.session] || t.marked(pid) || t.has(all, leads, known, p.parent)
	known[pid] = is
	return is
}

// marked says whether a process was started with the mark. It cannot be seen of another user's process.
func (t *tree) marked(pid int) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	for v := range bytes.SplitSeq(env, []byte{0}) {
		if string(v) == t.mark {
			return true
		}
	}
	return false
}

// kill stops the members until there are no new ones, and kills them then: what is stopped does not fork.
func (t *tree) kill() error {
	stopped := map[int]uint64{}
	var errs []error
	for range 100 {
		list, err := t.living()
		if err != nil {
			return t.killGroups()
		}
		fresh := false
		for _, p := range list {
			if stopped[p.pid] != p.start {
				fresh = true
				stopped[p.pid] = p.start
				_ = signal(p, unix.SIGSTOP) // what cannot be stopped is killed all the same
			}
		}
		if !fresh {
			break
		}
	}
	for pid, start := range stopped {
		if err := signal(process{pid: pid, start: start}, unix.SIGKILL); err != nil {
			errs = append(errs, fmt.Errorf("kill process %d: %w", pid, err))
		}
	}
	return errors.Join(errs...)
}

// killGroups kills the process groups of the leaders, which is all that can be done without /proc.
func (t *tree) killGroups() error {
	var errs []error
	for _, l := range t.leaders {
		if err := unix.Kill(-l.pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("kill process group %d: %w", l.pid, err))
		}
	}
	return errors.Join(errs...)
}

// signal sends a signal to exactly the process that p is, and to none that has got its number since.
func signal(p process, sig syscall.Signal) error {
	handle, err := os.FindProcess(p.pid)
	if err != nil {
		return err
	}
	defer func() { _ = handle.Release() }() // the process need not be waited for
	if now, err := readProcess(p.pid); err != nil || now.start != p.start {
		return nil // ended
	}
	if err := handle.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

func (t *tree) usage() (Usage, error) {
	list, err := t.living()
	u := Usage{Processes: len(list)}
	for _, p := range list {
		u.CPU += p.cpu
	}
	return u, err
}

func (t *tree) close() (Usage, error) {
	u, err := t.usage()
	if e := t.kill(); e != nil {
		return u, e
	}
	if err != nil {
		return u, nil //nolint:nilerr // without /proc they were killed, and cannot be watched
	}
	u.Processes = 0
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		left, err := t.living()
		if err != nil || len(left) == 0 {
			return u, err
		}
		if time.Now().After(deadline) {
			u.Processes = len(left)
			return u, fmt.Errorf("%d processes do not end, process %d is one", len(left), left[0].pid)
		}
		time.Sleep(pause)
	}
}
