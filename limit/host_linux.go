package limit

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// host is what was set up in the trees of control groups.
type host struct {
	name  string
	homes []*home // one per tree
}

// apply puts the limits of c on this process.
func (h *host) apply(c Config) []Result {
	results := c.results("")
	all, err := hierarchies()
	for i := range results {
		r := &results[i]
		if err != nil {
			r.Note = why(err)
			continue
		}
		if e := h.set(all, r); e != nil {
			r.Mechanism, r.Note = None, join(r.Note, why(e))
		}
	}
	h.enter(results)
	return results
}

// controllers are the controllers of limits, by their names in version 2.
func controllerOf(limit string) string {
	switch limit {
	case CPUQuota:
		return "cpu"
	case Memory:
		return "memory"
	case Processes:
		return "pids"
	default:
		return "io"
	}
}

// set puts one limit on the home of the process, and makes the home if it is the first there.
func (h *host) set(all []hierarchy, r *Result) error {
	tree, err := carrier(all, controllerOf(r.Limit))
	if err != nil {
		return err
	}
	var dev Device
	switch r.Limit {
	case CPUQuota:
		if cores := runtime.NumCPU(); r.Want > uint64(cores)*100 {
			r.Note = fmt.Sprintf("more than the %d cores that this process may use", cores)
		}
	case Memory:
		if used, err := resident(); err == nil && used >= r.Want {
			return fmt.Errorf("the process uses %s already", size(used))
		}
	default:
		if dev, err = findDevice(r.Device); err != nil {
			return err
		}
	}
	if r.Limit == CPUQuota || r.Limit == Memory {
		if o := tightest(tree, stripOwn(tree.own), r.Limit); o.value != 0 {
			r.Mechanism, r.Holds, r.Where = tree.mechanism(), o.value, o.dir
			if o.unit() != "" {
				r.Mechanism = Systemd
			}
			if o.value <= r.Want {
				return nil
			}
		}
	}
	home, err := h.home(tree)
	if err != nil {
		return err
	}
	if err := home.enable(controllerOf(r.Limit)); err != nil {
		return err
	}
	switch r.Limit {
	case CPUQuota:
		err = setCPU(tree.version, home.group, r.Want)
	case Memory:
		err = setMemory(tree.version, home.group, r.Want)
	default:
		err = setDisk(tree.version, home.group, r.Limit, dev, r.Want)
	}
	if err != nil {
		return err
	}
	r.Mechanism, r.Holds, r.Where = tree.mechanism(), r.Want, home.group
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
	if tree.version == 2 && made.base == made.back {
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
		var err error
		used := false
		for _, r := range results {
			used = used || r.Where == home.group
		}
		if used {
			err = home.enter()
		}
		if used && err == nil {
			kept = append(kept, home)
			continue
		}
		left := home.leave()
		for i := range results {
			if r := &results[i]; r.Where == home.group {
				*r = Result{Limit: r.Limit, Device: r.Device, Want: r.Want, Mechanism: None, Note: why(errors.Join(err, left))}
			}
		}
	}
	h.homes = kept
}

func (h *host) release() error {
	var errs []error
	for _, home := range h.homes {
		errs = append(errs, home.leave())
	}
	h.homes = nil
	return errors.Join(errs...)
}

// resident is the memory that this process uses now, in bytes.
func resident() (uint64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var total, pages, shared uint64
	if _, err := fmt.Sscan(string(b), &total, &pages, &shared); err != nil {
		return 0, err
	}
	return (pages - shared) * uint64(os.Getpagesize()), nil
}

// findDevice finds the number of a device, and that the kernel can limit it.
func findDevice(name string) (Device, error) {
	dev, err := ParseDevice(name)
	if strings.HasPrefix(name, "/") {
		var st unix.Stat_t
		if err := unix.Stat(name, &st); err != nil {
			return Device{}, fmt.Errorf("device %s: %w", name, err)
		}
		if st.Mode&unix.S_IFMT != unix.S_IFBLK {
			return Device{}, fmt.Errorf("%s is not a block device", name)
		}
		dev, err = Device{unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))}, nil
	}
	if err != nil {
		return Device{}, err
	}
	sys := "/sys/dev/block/" + dev.String()
	if _, err := os.Stat(sys); errors.Is(err, os.ErrNotExist) && exists("/sys/dev", "block") {
		return Device{}, fmt.Errorf("there is no block device %s", dev)
	}
	if exists(sys, "partition") {
		return Device{}, fmt.Errorf("%s is a partition, and limits are for whole disks", name)
	}
	return dev, nil
}
