package limit

import (
	"errors"
	"fmt"
	"runtime"
)

// host is what was set up in the trees of control groups.
type host struct {
	name     string
	trees    []hierarchy
	noTrees  error   // why there are none
	homes    []*home // at most one per tree
	shielded bool    // a memory limit is on the process, so that its children must be the ones to die of it
}

// read finds the trees, once: afterwards the process is elsewhere in them.
func (h *host) read() ([]hierarchy, error) {
	if h.trees == nil && h.noTrees == nil {
		h.trees, h.noTrees = hierarchies()
	}
	return h.trees, h.noTrees
}

// apply puts the limits of c on this process.
func (h *host) apply(c Config) []Result {
	results := c.results("")
	for i := range results {
		r := &results[i]
		err := fits(r)
		if err == nil {
			err = h.hold(r)
		}
		if err != nil {
			r.Note = join(r.Note, why(err))
		}
		h.shielded = h.shielded || err == nil && r.Limit == Memory
	}
	h.enter(results)
	return results
}

// fits looks whether the process is within a limit now.
func fits(r *Result) error {
	if r.Limit != Memory {
		return nil
	}
	if used := resident(); used >= r.Want {
		return fmt.Errorf("the process has %s already", size(used))
	}
	return nil
}

// hold puts a limit on the home of the process in the tree that has the limit's controller.
func (h *host) hold(r *Result) error {
	trees, err := h.read()
	if err != nil {
		return err
	}
	tree, err := carrier(trees, controllerOf(r.Limit))
	if err != nil {
		return err
	}
	return impose(r, tree, tree.own, func() (string, error) {
		home, err := h.home(tree)
		if err != nil {
			return "", err
		}
		return home.group, home.enable(controllerOf(r.Limit))
	})
}

// impose puts a limit on the group that group gives, unless a group above, from the directory above on, has one that is as
// tight.
func impose(r *Result, tree *hierarchy, above string, group func() (string, error)) error {
	var dev Device
	var err error
	if r.Device != "" {
		if dev, err = findDevice(r.Device); err != nil {
			return err
		}
	}
	if cores := runtime.NumCPU(); r.Limit == CPUQuota && r.Want > uint64(cores)*100 {
		r.Note = fmt.Sprintf("more than the %d cores there are", cores)
	}
	o := tightest(tree, above, r.Limit)
	if o.value != 0 {
		r.Mechanism, r.Holds, r.Where = tree.mechanism(), o.value, o.dir
		if unitOf(o.dir) != "" {
			r.Mechanism = Systemd
		}
		if o.value <= r.Want {
			return nil
		}
	}
	dir, err := group()
	if err != nil {
		return err
	}
	if err := put(tree.version, dir, r.Limit, r.Want, dev); err != nil {
		return err
	}
	r.Mechanism, r.Holds, r.Where = tree.mechanism(), r.Want, dir
	if tree.version == 1 && (r.Limit == WriteBytes || r.Limit == WriteIOPS) {
		r.Note = "of writes that pass by the page cache: version 1 does not know whose the others are"
	}
	return nil
}

// home finds or makes the home of the process in a tree.
func (h *host) home(tree *hierarchy) (*home, error) {
	for _, have := range h.homes {
		if have.tree == tree {
			return have, nil
		}
	}
	made, err := settle(tree, h.name)
	if err != nil {
		return nil, err
	}
	if tree.version == 2 && made.base == made.tree.own {
		// Controllers can be switched on below base only when no process is left in it.
		if err := made.enter(); err != nil {
			return nil, errors.Join(err, made.leave())
		}
	}
	h.homes = append(h.homes, made)
	return made, nil
}

// enter moves the process into the homes that carry a limit, and drops the others.
func (h *host) enter(results []Result) {
	var kept []*home
	for _, home := range h.homes {
		used := false
		for i := range results {
			used = used || results[i].Where == home.group
		}
		var err error
		if used {
			err = home.enter()
		}
		if used && err == nil {
			kept = append(kept, home)
			continue
		}
		err = errors.Join(err, home.leave())
		for i := range results {
			if r := &results[i]; used && r.Where == home.group {
				r.Mechanism, r.Holds, r.Where = None, 0, ""
				r.Note = join(r.Note, why(err))
			}
		}
	}
	h.homes = kept
}

// release moves the process back to where it was and removes its homes.
func (h *host) release() error {
	var errs []error
	for _, home := range h.homes {
		errs = append(errs, home.leave())
	}
	h.homes = nil
	return errors.Join(errs...)
}

// resident is the memory that this process has now, in bytes, as ps shows it; 0 before Linux 4.14, which does not tell it
// exactly. A program that has more than its limit would be killed as soon as it wanted another page.
func resident() uint64 {
	return field("/proc/self", "smaps_rollup", "Rss:") << 10
}
