package limit

import "io"

// Tree is a hierarchy as ParseHierarchies finds it.
type Tree struct {
	Version    int
	Mount, Own string
	ReadOnly   bool
}

// ParseHierarchies reads mountinfo and the groups of a process.
func ParseHierarchies(mountinfo, groups io.Reader) ([]Tree, error) {
	all, err := parseHierarchies(mountinfo, groups)
	var trees []Tree
	for _, h := range all {
		trees = append(trees, Tree{h.version, h.mount, h.own, h.readOnly})
	}
	return trees, err
}

// Process is what ParseProcess reads.
type Process struct {
	PID, Parent, Group, Session int
	Zombie                      bool
	Ticks                       int64
	Start                       uint64
}

// ParseProcess reads a line of /proc/<pid>/stat.
func ParseProcess(line string) (Process, error) {
	p, err := parseProcess(line)
	return Process{p.pid, p.parent, p.group, p.session, p.zombie, int64(p.cpu / tick), p.start}, err
}

// KillFrozen kills a control group as on a kernel that cannot do it in one step.
func (g *Group) KillFrozen() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.members.(*cgroup).killFrozen()
}

// StartStopped makes the group start its processes as on a kernel that cannot make them in a group.
func (g *Group) StartStopped() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members.(*cgroup).cloneInto = false
}

// Dirs are the directories of the group.
func (g *Group) Dirs() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	var dirs []string
	if c, ok := g.members.(*cgroup); ok {
		for _, p := range c.places {
			dirs = append(dirs, p.dir)
		}
	}
	return dirs
}
