package limit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/cgroups/v3"
)

// hierarchy is a mounted tree of control groups, and this process's place in it.
type hierarchy struct {
	version  int
	options  []string // of version 1: holds the controllers bound to it, among options of the mount
	mount    string   // where it is mounted
	root     string   // the group that is mounted there; "/" unless inside a container
	readOnly bool
	own      string // the directory of this process's group, outside of what this package makes
	resumed  bool   // the process was in a home of its own already
}

// hierarchies reads what is mounted and where this process is, from /proc.
func hierarchies() ([]hierarchy, error) {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer mounts.Close()
	groups, err := os.Open("/proc/self/cgroup")
	if errors.Is(err, os.ErrNotExist) {
		return nil, errors.New("the kernel has no control groups")
	}
	if err != nil {
		return nil, err
	}
	defer groups.Close()
	found, err := parseHierarchies(mounts, groups)
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(h hierarchy) bool {
		_, err := os.Stat(h.own)
		return err != nil
	})
	if len(found) == 0 {
		return nil, errors.New("no control group file system is mounted that shows this process")
	}
	for i := range found {
		found[i].own, found[i].resumed = resume(found[i].own)
	}
	return found, nil
}

// parseHierarchies joins the mounts of mountinfo with the groups of a process. A tree that is mounted twice is given twice,
// writable mounts first; one that does not show the process's group is left out.
func parseHierarchies(mountinfo, groups io.Reader) ([]hierarchy, error) {
	v1, v2, err := cgroups.ParseCgroupFromReaderUnified(groups)
	if err != nil {
		return nil, err
	}
	var found []hierarchy
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		h, ok := parseMount(lines.Text())
		if !ok {
			continue
		}
		group, ok := v2, v2 != ""
		if h.version == 1 {
			group, ok = groupOf(v1, h.options)
		}
		if !ok {
			continue
		}
		if h.own, ok = h.dir(group); ok {
			found = append(found, h)
		}
	}
	slices.SortStableFunc(found, func(a, b hierarchy) int {
		switch {
		case a.readOnly == b.readOnly:
			return 0
		case a.readOnly:
			return 1
		default:
			return -1
		}
	})
	return found, lines.Err()
}

// parseMount reads a line of mountinfo; ok is false unless it mounts control groups. The fields are described in
// proc_pid_mountinfo(5): id, parent, device, root, mount point, options, optional fields, "-", type, source, super options.
func parseMount(line string) (h hierarchy, ok bool) {
	head, tail, ok := strings.Cut(line, " - ")
	if !ok {
		return h, false
	}
	fields, fs := strings.Fields(head), strings.Fields(tail)
	if len(fields) < 6 || len(fs) < 3 {
		return h, false
	}
	switch fs[0] {
	case "cgroup":
		h.version = 1
	case "cgroup2":
		h.version = 2
	default:
		return h, false
	}
	h.root, h.mount = unescape(fields[3]), unescape(fields[4])
	h.options = strings.Split(fs[2], ",")
	h.readOnly = slices.Contains(strings.Split(fields[5], ","), "ro") || slices.Contains(h.options, "ro")
	return h, true
}

// groupOf is the group that a process has for one of the controllers.
func groupOf(groups map[string]string, controllers []string) (string, bool) {
	for _, c := range controllers {
		if g, ok := groups[c]; ok {
			return g, true
		}
	}
	return "", false
}

// unescape undoes the octal escapes of mountinfo for blanks, tabs, newlines and backslashes.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// dir is the directory of a group as /proc/self/cgroup names it; ok is false when the mount does not show it.
func (h *hierarchy) dir(group string) (dir string, ok bool) {
	rel := group
	if h.root != "/" {
		rel, ok = strings.CutPrefix(group, h.root)
		if !ok || rel != "" && rel[0] != '/' {
			return "", false
		}
	}
	if !path.IsAbs("/"+rel) || slices.Contains(strings.Split(rel, "/"), "..") {
		return "", false // in another control group namespace
	}
	return filepath.Join(h.mount, rel), true
}

// path lists the directories from the top of the tree to one in it.
func (h *hierarchy) path(dir string) []string {
	var list []string
	for ; len(dir) >= len(h.mount); dir = filepath.Dir(dir) {
		list = append(list, dir)
		if dir == h.mount {
			break
		}
	}
	slices.Reverse(list)
	return list
}

// mechanism is the name of the tree's version.
func (h *hierarchy) mechanism() Mechanism {
	if h.version == 1 {
		return CgroupV1
	}
	return CgroupV2
}

// carrier finds the tree that has a controller, by its name in version 2.
func carrier(all []hierarchy, controller string) (*hierarchy, error) {
	name := controller
	if name == "io" {
		name = "blkio"
	}
	var unified *hierarchy
	for i := range all {
		h := &all[i]
		if h.version == 1 && slices.Contains(h.options, name) {
			return h, nil
		}
		if h.version == 2 && unified == nil {
			unified = h
		}
	}
	if unified == nil {
		return nil, fmt.Errorf("the %s controller is not mounted", name)
	}
	return unified, nil
}
