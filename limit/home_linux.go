package limit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// prefix starts the names of groups that this package makes.
	prefix = "jkframe-"
	// leafName is the group of the process itself in version 2, where a group has processes or groups below it with
	// controllers, never both.
	leafName = "agent"
)

// home is the group of this process in one tree, made by this package. Limits are on group, the process is in leaf, and
// the groups of its children are in group beside leaf.
type home struct {
	tree    *hierarchy
	base    string // the directory that group was made in
	group   string
	leaf    string
	back    string   // where the process came from
	lock    *os.File // tells other programs of the same name that group is taken; ends with the process
	enabled []string // the controllers that were switched on in base
}

// settle makes a home in a tree, without moving the process into it.
func settle(tree *hierarchy, name string) (*home, error) {
	back := stripOwn(tree.own)
	base, err := findBase(tree, back)
	if err != nil {
		return nil, err
	}
	h := &home{tree: tree, base: base, back: back}
	for n := 1; ; n++ {
		group := filepath.Join(base, prefix+name)
		if n > 1 {
			group += "-" + strconv.Itoa(n)
		}
		lock, made, err := take(group)
		if errors.Is(err, unix.EWOULDBLOCK) && n < 1000 {
			continue // another program of this name lives there
		}
		if err != nil {
			return nil, err
		}
		h.group, h.leaf, h.lock = group, group, lock
		if tree.version == 2 {
			h.leaf = filepath.Join(group, leafName)
			if err := mkdir(h.leaf); err != nil {
				return nil, errors.Join(err, h.discard())
			}
		}
		if !made {
			h.clear()
		}
		return h, nil
	}
}

// stripOwn gives the directory in which this package made dir, if it did: a program that replaced itself by a new binary
// finds itself in its old home.
func stripOwn(dir string) string {
	d := dir
	if filepath.Base(d) == leafName {
		d = filepath.Dir(d)
	}
	return d
}

// take makes a group's directory or finds it, and locks it.
func take(dir string) (lock *os.File, made bool, err error) {
	for {
		err := os.Mkdir(dir, 0o755)
		made = err == nil
		if err != nil && !errors.Is(err, os.ErrExist) {
			return nil, false, err
		}
		f, err := os.Open(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue // removed by its last owner
		}
		if err != nil {
			return nil, false, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			return nil, false, &os.PathError{Op: "lock", Path: dir, Err: err}
		}
		held, err := f.Stat()
		if err != nil {
			f.Close()
			return nil, false, err
		}
		if now, err := os.Stat(dir); err == nil && os.SameFile(held, now) {
			return f, made, nil
		}
		f.Close() // its last owner removed it between our open and our lock
	}
}

func mkdir(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// findBase finds the directory to make a home in: the process's own group, and in version 2, where that cannot have
// groups below it because of the other processes in it, the nearest one above that can. A process is never taken out of
// the service that it belongs to.
func findBase(tree *hierarchy, own string) (string, error) {
	if tree.version == 1 {
		return own, nil
	}
	for dir := own; ; dir = filepath.Dir(dir) {
		other, err := firstOther(dir)
		if err != nil {
			return "", err
		}
		if other < 0 || !exists(dir, "cgroup.type") { // only the root of all has no type, and no such rule
			return dir, nil
		}
		if strings.HasSuffix(dir, ".service") || dir == tree.mount {
			return "", fmt.Errorf("the group %s is shared with process %d, which is not a child of this one", dir, other)
		}
	}
}

// firstOther finds a process in a group that is neither this one nor descends from it; -1 if there is none.
func firstOther(dir string) (int, error) {
	list, err := pids(dir)
	if err != nil {
		return 0, err
	}
	for _, pid := range list {
		if !descends(pid) {
			return pid, nil
		}
	}
	return -1, nil
}

// descends says whether pid is this process or a descendant of it. One that has ended is.
func descends(pid int) bool {
	for pid > 1 {
		if pid == os.Getpid() {
			return true
		}
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			return errors.Is(err, os.ErrNotExist)
		}
		// pid (name) state ppid …, where the name may hold anything
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 2 {
			return false
		}
		if pid, err = strconv.Atoi(fields[1]); err != nil {
			return false
		}
	}
	return pid == os.Getpid()
}

// enter moves the process into its home.
func (h *home) enter() error {
	if h.tree.version == 1 {
		return write(h.leaf, "cgroup.procs", strconv.Itoa(os.Getpid()))
	}
	if h.base != h.back {
		return write(h.leaf, "cgroup.procs", strconv.Itoa(os.Getpid()))
	}
	return h.moveAll(h.base, h.leaf)
}

// moveAll moves this process and its descendants from one group to another, until none is left that was forked meanwhile.
func (h *home) moveAll(from, to string) error {
	for range 100 {
		list, err := pids(from)
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(pid int) bool { return !descends(pid) })
		if len(list) == 0 {
			return nil
		}
		for _, pid := range list {
			if err := write(to, "cgroup.procs", strconv.Itoa(pid)); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return fmt.Errorf("processes are forked in %s faster than they can be moved", from)
}

// enable switches a controller on for group and for the groups in it. In version 1 they always are.
func (h *home) enable(controller string) error {
	if h.tree.version == 1 {
		return nil
	}
	offered, err := read(h.base, "cgroup.controllers")
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(offered), controller) {
		return fmt.Errorf("the %s controller is not enabled for %s", controller, h.base)
	}
	on, err := read(h.base, "cgroup.subtree_control")
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(on), controller) {
		if err := write(h.base, "cgroup.subtree_control", "+"+controller); err != nil {
			return err
		}
		h.enabled = append(h.enabled, controller)
	}
	return write(h.group, "cgroup.subtree_control", "+"+controller)
}

// leave moves the process back and removes the home.
func (h *home) leave() error {
	if h.tree.version == 2 {
		if err := h.disable(); err != nil {
			return err
		}
	}
	if err := h.moveAll(h.leaf, h.back); err != nil {
		return err
	}
	return h.discard()
}

// disable switches the controllers off again, which lets processes be in base, unless other groups there use them.
func (h *home) disable() error {
	on, err := read(h.group, "cgroup.subtree_control")
	if err != nil {
		return err
	}
	for _, c := range strings.Fields(on) {
		if err := write(h.group, "cgroup.subtree_control", "-"+c); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(h.base)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != filepath.Base(h.group) {
			return nil
		}
	}
	for _, c := range h.enabled {
		if err := write(h.base, "cgroup.subtree_control", "-"+c); err != nil {
			return err
		}
	}
	return nil
}

// discard removes the directories of a home that the process is not in.
func (h *home) discard() error {
	var errs []error
	if h.leaf != h.group {
		errs = append(errs, rmdir(h.leaf))
	}
	errs = append(errs, rmdir(h.group), h.lock.Close())
	return errors.Join(errs...)
}

func rmdir(dir string) error {
	if err := unix.Rmdir(dir); err != nil && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "remove", Path: dir, Err: err}
	}
	return nil
}
