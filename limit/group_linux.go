package limit

import (
	"path/filepath"
	"slices"
)

// taskPrefix starts the names of the groups of children.
const taskPrefix = "task-"

// open makes a group of children in the trees that its limits, its account and its end need.
func (h *host) open(g *Group, c GroupConfig) error {
	g.results = c.results("")
	made := &cgroup{shielded: h.shielded}
	for i := range g.results {
		if r := &g.results[i]; h.name == "" {
			r.Note = join(r.Note, "the program has no control group")
		} else if err := h.holdTask(r, made, taskPrefix+c.Name); err != nil {
			r.Note = join(r.Note, why(err))
		}
	}
	if h.name != "" {
		h.account(made, taskPrefix+c.Name)
	}
	if len(made.places) == 0 {
		g.members, g.mechanism = newTree(), ProcessTree
		return nil
	}
	g.members, g.mechanism = made, made.places[0].tree.mechanism()
	return nil
}

// holdTask puts a limit on the group of children in the tree that has the limit's controller.
func (h *host) holdTask(r *Result, made *cgroup, name string) error {
	trees, err := h.read()
	if err != nil {
		return err
	}
	controller := controllerOf(r.Limit)
	tree, err := carrier(trees, controller)
	if err != nil {
		return err
	}
	above := tree.own
	if i := slices.IndexFunc(h.homes, func(have *home) bool { return have.tree == tree }); i >= 0 {
		above = h.homes[i].group
	}
	return impose(r, tree, above, func() (string, error) {
		return h.place(made, tree, controller, name)
	})
}

// account puts the group of children into the trees that tell what it uses, and in version 1 into the one that can
// freeze it. What there is not is not counted.
func (h *host) account(made *cgroup, name string) {
	trees, err := h.read()
	if err != nil {
		return
	}
	for _, controller := range []string{"cpuacct", "memory", "pids", "freezer"} {
		tree, err := carrier(trees, controller)
		if err != nil {
			continue
		}
		if tree.version == 2 && (controller == "cpuacct" || controller == "freezer") {
			controller = "" // every group has them
		}
		_, _ = h.place(made, tree, controller, name)
	}
}

// place makes the directory of a group of children in a tree, and switches a controller on for it.
func (h *host) place(made *cgroup, tree *hierarchy, controller, name string) (string, error) {
	home, err := h.home(tree)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(home.group, name)
	if !made.in(tree) {
		fresh, err := mkdir(dir)
		if err != nil {
			return "", err
		}
		if !fresh {
			unlimit(tree.version, dir)
		}
		if tree.version == 2 {
			made.cloneInto = fresh && home.unkilled() && canCloneInto()
		}
		made.places = append(made.places, place{tree, dir})
	}
	if controller == "" {
		return dir, nil
	}
	return dir, home.enable(controller)
}
