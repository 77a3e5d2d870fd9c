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
	// prefix starts the names of the groups of programs.
	prefix = "jkframe-"
	// leafName is the group of the process itself in version 2, where a group has either processes or groups below it
	// that are limited, never both.
	leafName = "agent"
)

// home is the group of this process in one tree, made by this package. Limits are on group, the process is in leaf, and
// the groups of its children are in group beside leaf. One of another program is left alone: the lock tells.
type home struct {
	tree    *hierarchy
	base    string // the directory that group was made in
	group   string
	leaf    string   // in version 1 it is group
	lock    int      // a descriptor, which no collection of garbage closes
	enabled []toggle // what was switched on to have limits here
	fresh   bool     // leaf was made for this run
	inside  bool     // the process is in leaf
}

// toggle is a controller that was switched on below a directory.
type toggle struct {
	dir, controller string
}

// settle makes a home in a tree, without moving the process into it.
func settle(tree *hierarchy, name string) (*home, error) {
	base, err := findBase(tree)
	if err != nil {
		return nil, err
	}
	h := &home{tree: tree, base: base}
	if tree.resumed {
		on, _ := read(base, "cgroup.subtree_control")
		for c := range strings.FieldsSeq(on) {
			h.enabled = append(h.enabled, toggle{base, c})
		}
	}
	for n := 1; ; n++ {
		h.group = filepath.Join(base, prefix+name)
		if n > 1 {
			h.group += "-" + strconv.Itoa(n)
		}
		h.lock, err = take(h.group)
		if errors.Is(err, unix.EWOULDBLOCK) && n < 1000 {
			continue // another program of this name lives there
		}
		if err != nil {
			return nil, err
		}
		break
	}
	h.leaf = h.group
	if tree.version == 2 {
		h.leaf = filepath.Join(h.group, leafName)
	}
	h.tidy()
	made, err := mkdir(h.leaf)
	if err != nil {
		return nil, errors.Join(err, h.discard())
	}
	h.fresh = made && h.leaf != h.group
	return h, nil
}

// take makes a group's directory, or finds the one that a dead run left, and locks it.
func take(dir string) (lock int, err error) {
	for {
		if _, err := mkdir(dir); err != nil {
			return -1, err
		}
		lock, err := tryLock(dir)
		if errors.Is(err, unix.ENOENT) {
			continue // its last owner has just removed it
		}
		if err != nil {
			return -1, err
		}
		if same(lock, dir) {
			return lock, nil
		}
		unix.Close(lock) // its last owner removed it between our open and our lock
	}
}

// tryLock locks a directory for as long as the descriptor is open, which no child inherits.
func tryLock(dir string) (int, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return -1, &os.PathError{Op: "lock", Path: dir, Err: err}
	}
	return fd, nil
}

// same says whether dir is still the directory that fd was opened as.
func same(fd int, dir string) bool {
	var held, now unix.Stat_t
	return unix.Fstat(fd, &held) == nil && unix.Stat(dir, &now) == nil && held.Dev == now.Dev && held.Ino == now.Ino
}

// tidy clears away what a dead run left: limits, and the groups of children that have ended.
func (h *home) tidy() {
	unlimit(h.tree.version, h.group)
	if h.tree.version == 1 && exists(h.group, "memory.use_hierarchy") {
		_ = write(h.group, "memory.use_hierarchy", "1") // kernels before 5.11 would not count the groups of children
	}
	for _, dir := range children(h.group) {
		_ = removeTree(dir) // one that is in use goes on to be
	}
}

// resume finds out whether a process is in a home that it made itself, as a program does that has replaced itself by a new
// binary, and gives the group that the home was made in.
func resume(own string) (string, bool) {
	dir := own
	if filepath.Base(dir) == leafName {
		dir = filepath.Dir(dir)
	}
	if !strings.HasPrefix(filepath.Base(dir), prefix) {
		return own, false
	}
	lock, err := tryLock(dir)
	if err != nil {
		return own, false // its owner lives: this program is a child of that one
	}
	unix.Close(lock)
	return filepath.Dir(dir), true
}

// enter moves the process into its home.
func (h *home) enter() error {
	if err := write(h.leaf, "cgroup.procs", strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	h.inside = true
	if h.tree.version == 1 || h.base != h.tree.own || isRoot(h.base) {
		return nil
	}
	return moveAll(h.base, h.leaf, func(pid int) bool { return belongs(h.tree, h.base, pid) })
}

// enable switches a controller on for group and for the groups in it. In version 1 it always is.
func (h *home) enable(controller string) error {
	if h.tree.version == 1 {
		return nil
	}
	// Where systemd manages the groups, it has switched a controller on only on the way to units that ask for it.
	for _, dir := range h.tree.path(h.base) {
		done, err := enable(dir, controller)
		if err != nil {
			return fmt.Errorf("the %s controller is not enabled for %s: %s", controller, h.base, why(err))
		}
		if done {
			h.enabled = append(h.enabled, toggle{dir, controller})
		}
	}
	// Below group, too, although only the groups of children need it there: as long as it is on below group, nobody can
	// switch it off above, and the limit with it.
	_, err := enable(h.group, controller)
	return err
}

// enable switches a controller on for the groups below a directory, and says whether it had to.
func enable(dir, controller string) (bool, error) {
	on, err := read(dir, "cgroup.subtree_control")
	if err != nil || slices.Contains(strings.Fields(on), controller) {
		return false, err
	}
	offered, err := read(dir, "cgroup.controllers")
	if err != nil {
		return false, err
	}
	if !slices.Contains(strings.Fields(offered), controller) {
		return false, fmt.Errorf("%s does not have it", dir)
	}
	return true, write(dir, "cgroup.subtree_control", "+"+controller)
}

// leave moves the process back and removes the home. One that the process cannot get out of is given up like that of a dead run,
// for the next Apply to take over.
func (h *home) leave() error {
	if err := h.vacate(); err != nil {
		return errors.Join(err, unix.Close(h.lock))
	}
	return h.discard()
}

// vacate moves what is in leaf back to where the process was.
func (h *home) vacate() error {
	if h.tree.version == 2 {
		if err := h.disable(); err != nil {
			return err
		}
	}
	return moveAll(h.leaf, h.tree.own, func(int) bool { return true })
}

// disable switches off what enable switched on: base can have processes again then. It stays on where there are other
// groups, which may use it.
func (h *home) disable() error {
	on, err := read(h.group, "cgroup.subtree_control")
	if err != nil {
		return err
	}
	for c := range strings.FieldsSeq(on) {
		if err := write(h.group, "cgroup.subtree_control", "-"+c); err != nil {
			return err
		}
	}
	for _, t := range slices.Backward(h.enabled) {
		if len(children(t.dir)) > 1 {
			continue
		}
		err := write(t.dir, "cgroup.subtree_control", "-"+t.controller)
		if err != nil && !errors.Is(err, unix.EBUSY) { // a group further down uses it
			return err
		}
	}
	h.enabled = nil
	return nil
}

// unkilled says that the group that this process is in was never killed, as far as can be known.
func (h *home) unkilled() bool {
	if h.inside {
		return h.fresh
	}
	return isRoot(h.tree.own)
}

// discard removes the directories of a home that the process is not in.
func (h *home) discard() error {
	var err error
	if h.leaf != h.group {
		err = rmdir(h.leaf)
	}
	return errors.Join(err, rmdir(h.group), unix.Close(h.lock))
}
