package manifest

import (
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// maxSuggests is how often a key that was meant is looked for among all keys, of which there may be ten thousand.
const maxSuggests = 20

// whenNodes are the fields of a condition that are there.
type whenNodes struct{ target, contain, equal *pair }

// enabled checks the condition of an item against the item that it names.
func (c *checker) enabled(it *item) {
	p := it.fields.enabled
	if p == nil {
		return
	}
	block, pairs, ok := c.block(p, ruleWhenMissing)
	if !ok {
		return
	}
	var when *pair
	slip := false
	for i, q := range pairs {
		if q.key.Kind == yaml.ScalarNode && q.key.Value == "when" {
			when = &pairs[i]
		} else if c.unknownWhenField(q, "enabled", "when") {
			slip = true
		}
	}
	switch {
	case when != nil:
		c.when(it, when)
	case !slip:
		c.node(ruleWhenMissing, firstKey(block, pairs), Text{"enabled has no when", "enabled缺少when"})
	}
}

// block reads enabled or when, which are mappings.
func (c *checker) block(p *pair, null ID) (at *yaml.Node, pairs []pair, ok bool) {
	v := resolve(p.value)
	switch s := scalarOf(v); {
	case hasCustomTag(v):
		return nil, nil, false
	case s.kind == kindNull:
		c.node(null, p.key, both("%s is empty", "%s为空", p.key.Value))
		return nil, nil, false
	case s.kind != kindMap:
		c.node(ruleFieldType, p.value, both("%s is %s, not a mapping", "%s是%s，应为映射", p.key.Value, s.kind.name()))
		return nil, nil, false
	}
	return p.value, c.pairs(v), true
}

// firstKey is the place for what is missing in a mapping.
func firstKey(at *yaml.Node, pairs []pair) *yaml.Node {
	if len(pairs) > 0 {
		return pairs[0].key
	}
	return at
}

// unknownWhenField adds the finding for a field that enabled or when does not have, and reports whether it did.
func (c *checker) unknownWhenField(p pair, block string, known ...string) bool {
	if hasCustomTag(p.key) || p.key.Kind == yaml.ScalarNode && isExtension(p.key.Value) {
		return false
	}
	if meant := nearest(p.key.Value, slices.Values(known)); meant != "" {
		c.node(ruleEnabledField, p.key, both("%s has no field %q; did you mean %s?", "%s中没有字段%q，是否应为%s？", block, clip(p.key.Value), meant)).Fix = c.replace(p.key, meant)
	} else {
		c.node(ruleEnabledField, p.key, both("%s has no field %q, only %s", "%s中没有字段%q，仅支持%s", block, clip(p.key.Value), strings.Join(known, ", ")))
	}
	return true
}

// when checks the condition itself.
func (c *checker) when(it *item, p *pair) {
	block, pairs, ok := c.block(p, ruleTargetMissing)
	if !ok {
		return
	}
	w := &it.when
	slip := false
	var second *pair // condition
	for i, q := range pairs {
		switch name := q.key.Value; {
		case q.key.Kind == yaml.ScalarNode && name == "target":
			w.target = &pairs[i]
		case q.key.Kind == yaml.ScalarNode && (name == "contain" || name == "equal"):
			if w.contain != nil || w.equal != nil {
				second = &pairs[i]
			}
			if name == "contain" {
				w.contain = &pairs[i]
			} else {
				w.equal = &pairs[i]
			}
		case c.unknownWhenField(q, "when", "target", "contain", "equal"):
			slip = true
		}
	}
	first := firstKey(block, pairs)
	switch {
	case w.target == nil && !slip:
		c.node(ruleTargetMissing, first, Text{"when has no target, the key of the setting that it looks at", "when缺少target，即所依赖配置项的key"})
		return
	case w.contain == nil && w.equal == nil && !slip:
		c.node(ruleConditionMissing, first, Text{"when has no condition, contain or equal", "when缺少contain或equal条件"})
	}
	target := c.target(it)
	if second != nil {
		c.node(ruleConditions, second.key, Text{"when has one condition, contain or equal", "when只能有contain或equal中的一个条件"})
		return
	}
	c.condition(it, target)
}

// target finds the item that the condition names; nil when it cannot be used.
func (c *checker) target(it *item) *item {
	p := it.when.target
	if p == nil {
		return nil
	}
	name, ok := c.stringValue(p, ruleTargetMissing)
	target := c.byKey[name]
	switch {
	case !ok:
	case name == "":
		c.node(ruleTargetMissing, p.value, Text{"target is empty", "target为空"})
	case name == it.Key:
		c.node(ruleTargetSelf, p.value, Text{"the item depends on itself", "配置项依赖自身"})
	case target != nil:
		return target
	case !c.unusable[name]:
		c.unknownTarget(p.value, name)
	}
	return nil
}

func (c *checker) unknownTarget(at *yaml.Node, name string) {
	if c.suggests++; c.suggests <= maxSuggests {
		if meant := nearest(name, maps.Keys(c.byKey)); meant != "" {
			c.node(ruleTargetUnknown, at, both("no item has the key %q; did you mean %s?", "没有key为%q的配置项，是否应为%s？", clip(name), meant))
			return
		}
	}
	c.node(ruleTargetUnknown, at, both("no item has the key %q", "没有key为%q的配置项", clip(name)))
}

// condition checks contain or equal against the target, which is nil when nothing is known about it.
func (c *checker) condition(it, target *item) {
	if target == nil || target.Type == "" {
		return
	}
	condition := &Condition{Target: target.Key}
	if p := it.when.contain; p != nil {
		if target.Type != TypeCSV {
			c.node(ruleContainType, p.key, both("contain is for a csv; %s is of type %s", "contain只能用于csv类型，%s是%s类型", target.Key, target.Type))
			return
		}
		text, ok := c.contain(p, target)
		if !ok {
			return
		}
		condition.Contain = text
	}
	if p := it.when.equal; p != nil {
		if target.Type != TypeBool {
			c.node(ruleEqualType, p.key, both("equal is for a bool; %s is of type %s", "equal只能用于bool类型，%s是%s类型", target.Key, target.Type))
			return
		}
		rule := ruleEqualValue
		if scalarOf(resolve(p.value)).kind == kindNull {
			rule = ruleConditionMissing
		}
		value, ok := c.boolValue(p, rule)
		if !ok {
			return
		}
		condition.Equal = &value
	}
	if it.when.contain != nil || it.when.equal != nil {
		it.When = condition
	}
}

// contain reads the member that the target is to have.
func (c *checker) contain(p *pair, target *item) (string, bool) {
	v := resolve(p.value)
	s := scalarOf(v)
	switch {
	case hasCustomTag(v):
		return "", false
	case s.kind == kindNull:
		c.node(ruleConditionMissing, p.key, Text{"contain is empty", "contain为空"})
		return "", false
	case s.kind >= kindList:
		c.node(ruleFieldType, p.value, both("contain is %s, not one member", "contain是%s，应为单个成员", s.kind.name()))
		return "", false
	}
	if target != nil && target.valid != nil && !target.valid[s.text] {
		bad := notAllowed(ruleContainMember, s.text, target.CSVValid)
		c.node(ruleContainMember, p.value, both("csv_valid of %s: %s", "%s的csv_valid：%s", target.Key, bad.text))
		return "", false
	}
	if s.legacy != notLegacy && s.legacy != legacyLetter {
		c.legacy(p.value, s)
	}
	return s.text, true
}
