package manifest

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// tooLarge adds a finding for an alias that refers to itself, or that makes the file larger than it may be, and reports
// whether there is one. Only what passes here is walked through.
func (c *collector) tooLarge(root *yaml.Node) bool {
	if !hasAlias(root) {
		return false
	}
	m := measure{sizes: make(map[*yaml.Node]int)}
	size := m.size(root)
	switch {
	case m.cycle != nil:
		c.node(ruleTooLarge, m.cycle, both("the alias *%s refers to itself", "别名*%s引用了自身", clip(m.cycle.Value)))
	case size > maxNodes:
		c.node(ruleTooLarge, m.largest, both("with what the aliases repeat the file has more than %d values", "展开别名后文件中的值超过%d个", maxNodes))
	default:
		return false
	}
	return true
}

func hasAlias(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode {
		return true
	}
	return slices.ContainsFunc(n.Content, hasAlias)
}

// measure counts values, those behind an alias each time.
type measure struct {
	sizes   map[*yaml.Node]int // -1 while it is counted
	cycle   *yaml.Node         // the first alias found that leads to what it is in
	largest *yaml.Node         // the alias that stands for most values
	most    int
}

func (m *measure) size(n *yaml.Node) int {
	if n.Kind == yaml.AliasNode {
		return m.alias(n)
	}
	if size, ok := m.sizes[n]; ok {
		return size
	}
	m.sizes[n] = -1
	size := 1
	for _, child := range n.Content {
		size = min(size+m.size(child), maxNodes+1)
	}
	m.sizes[n] = size
	return size
}

func (m *measure) alias(n *yaml.Node) int {
	if m.sizes[n.Alias] < 0 {
		if m.cycle == nil {
			m.cycle = n
		}
		return 0
	}
	size := m.size(n.Alias)
	if size > m.most {
		m.largest, m.most = n, size
	}
	return size
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
