package limit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// findBase finds the directory to make a home in: the process's own group. In version 2, other processes in it forbid
// that there are limited groups below it. For a program that was started from a login, it is the nearest group above that
// has none then, so that what limits the process already goes on doing so. Out of a service or a container no process is
// taken.
func findBase(tree *hierarchy) (string, error) {
	if tree.version == 1 {
		return tree.own, nil
	}
	for dir := tree.own; ; dir = filepath.Dir(dir) {
		stranger, err := firstStranger(tree, dir)
		if err != nil {
			return "", err
		}
		if stranger < 0 || isRoot(dir) {
			return dir, nil
		}
		if dir == tree.mount || !mayLeave(dir) {
			return "", fmt.Errorf("process %d is in %s too, and does not belong to this program", stranger, dir)
		}
	}
}

// isRoot says that a directory is the group above all others, which may have processes and limited groups.
func isRoot(dir string) bool {
	return !exists(dir, "cgroup.type")
}

// mayLeave says that a process may be moved from a group to beside it: from the scope of a login, which nobody knows its
// processes by, and from the home of the program that has started this one.
func mayLeave(dir string) bool {
	name := filepath.Base(dir)
	return strings.HasPrefix(name, "session-") && strings.HasSuffix(name, ".scope") ||
		name == leafName && strings.HasPrefix(filepath.Base(filepath.Dir(dir)), prefix)
}

// wraps says that whatever has started this process in the same group is a wrapper of it, and not a login's shell: in
// the group of a service, and in the topmost one that a container shows.
func wraps(tree *hierarchy, dir string) bool {
	return dir == tree.mount || strings.HasSuffix(dir, ".service")
}

// firstStranger finds a process in a group that does not belong to this program; -1 if there is none.
func firstStranger(tree *hierarchy, dir string) (int, error) {
	list, err := pids(dir)
	if err != nil {
		return 0, err
	}
	for _, pid := range list {
		if !belongs(tree, dir, pid) {
			return pid, nil
		}
	}
	return -1, nil
}

// belongs says whether a process in a group is part of this program: the process itself, what it has started, and its
// wrapper. One that has ended is no stranger either.
func belongs(tree *hierarchy, dir string, pid int) bool {
	self := os.Getpid()
	return descends(pid, self) || wraps(tree, dir) && descends(self, pid)
}

// descends says whether a process is another one or a descendant of it. One that has ended is.
func descends(pid, of int) bool {
	for pid > 0 {
		if pid == of {
			return true
		}
		p, err := readProcess(pid)
		if err != nil {
			return errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH)
		}
		pid = p.parent
	}
	return false
}

// moveAll moves the processes that which accepts from one group to another, until none is left that was forked meanwhile.
func moveAll(from, to string, which func(pid int) bool) error {
	for range 100 {
		list, err := pids(from)
		if err != nil {
			return err
		}
		moved := false
		for _, pid := range list {
			if pid == 0 || !which(pid) {
				continue // 0 is a process of another namespace; written, it would mean this one
			}
			moved = true
			if err := write(to, "cgroup.procs", strconv.Itoa(pid)); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
		if !moved {
			return nil
		}
	}
	return fmt.Errorf("processes are forked in %s faster than they can be moved", from)
}
