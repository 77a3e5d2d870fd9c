package manifest

import "strings"

// prefixes finds keys that are sections of other keys: no nested object can hold both. The later one of two is reported, once.
func (c *checker) prefixes() {
	sections := make(map[string]*item, len(c.items)) // of the keys that came before
	for _, it := range c.items {
		if !it.usable {
			continue
		}
		var other *item
		if below, ok := sections[it.Key]; ok {
			other = below
		}
		for i := 0; i < len(it.Key); i++ {
			if it.Key[i] != '.' {
				continue
			}
			section := it.Key[:i]
			if above := c.byKey[section]; above != nil && above.before(it) {
				other = above
			}
			if sections[section] == nil {
				sections[section] = it
			}
		}
		if other != nil {
			c.key = it.Key
			c.node(ruleKeyPrefix, it.fields.key.value, both("the keys %s and %s cannot both be in a nested object", "key %s与%s无法同时存在于嵌套对象中", clip(other.Key), clip(it.Key)))
		}
	}
}

// before reports whether an item stands above another.
func (it *item) before(other *item) bool {
	a, b := it.node, other.node
	return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
}

// cycles finds items whose conditions lead back to themselves, each circle once.
func (c *checker) cycles() {
	const (
		unseen = iota
		onPath
		done
	)
	state := make(map[*item]int, len(c.items))
	for _, start := range c.items {
		var path []*item
		it := start
		for it != nil && state[it] == unseen {
			state[it] = onPath
			path = append(path, it)
			it = c.byKey[it.targetKey()]
		}
		if it != nil && state[it] == onPath {
			c.cycle(path, it)
		}
		for _, seen := range path {
			state[seen] = done
		}
	}
}

// targetKey gives the key that the item depends on, however wrong its condition is; the empty string when that is itself.
func (it *item) targetKey() string {
	if it.when.target == nil {
		return ""
	}
	if key := resolve(it.when.target.value).Value; key != it.Key {
		return key
	}
	return ""
}

// cycle adds the finding for the circle at the end of path that starts at entry.
func (c *checker) cycle(path []*item, entry *item) {
	for path[0] != entry {
		path = path[1:]
	}
	first := path[0]
	names := make([]string, 0, len(path)+1)
	for _, it := range path {
		if it.before(first) {
			first = it
		}
		names = append(names, it.Key)
	}
	names = append(names, entry.Key)
	c.key = first.Key
	c.node(ruleCycle, first.when.target.value, both("the items depend on each other: %s", "配置项循环依赖：%s", clip(strings.Join(names, " → "))))
}

// order finds items of a category that others stand between, and switches below what they control. These rules are off by
// default, and then cost nothing.
func (c *checker) order() {
	if off := c.options.rulesOff(); off[ruleCategory] && off[ruleForwardTarget] {
		return
	}
	ended := make(map[string]bool)
	last := ""
	for _, it := range c.items {
		c.key = it.Key
		if it.Category != last {
			ended[last] = true
			last = it.Category
			if last != "" && ended[last] {
				c.node(ruleCategory, it.fields.category.value, both("other items stand between those of category %q", "分类%q的配置项没有相邻", clip(last)))
			}
		}
		if target := c.byKey[it.targetKey()]; target != nil && it.before(target) {
			c.node(ruleForwardTarget, it.when.target.value, both("the switch %s stands below the item that it controls", "开关%s声明在其控制的配置项之后", clip(target.Key)))
		}
	}
	c.key = ""
}
