package manifest

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// pair is one field of a mapping. The key is resolved, the value may be an alias.
type pair struct{ key, value *yaml.Node }

// fewFields is how many fields are searched one by one; what has more is no item that a person wrote.
const fewFields = 24

// pairs gives the fields of a mapping, each name once, and behind them those that merge keys bring.
func (c *checker) pairs(m *yaml.Node) []pair {
	if len(m.Content) <= 2*fewFields && !(c.merges && slices.ContainsFunc(m.Content, func(n *yaml.Node) bool { return isMerge(resolve(n)) })) {
		return c.fewPairs(m)
	}
	var all []pair
	seen := make(map[string]bool)
	var add func(m *yaml.Node)
	add = func(m *yaml.Node) {
		merges := false
		for i := 0; i+1 < len(m.Content); i += 2 {
			key := resolve(m.Content[i])
			switch {
			case isMerge(key):
				merges = true
			case key.Kind == yaml.ScalarNode && seen[key.Value]:
			default:
				seen[key.Value] = true
				all = append(all, pair{key, m.Content[i+1]})
			}
		}
		if merges {
			mergeSources(m, add)
		}
	}
	add(m)
	return all
}

// fewPairs is for a mapping as people write them. The results of many share one piece of memory.
func (c *checker) fewPairs(m *yaml.Node) []pair {
	const some = 1024
	if n := len(m.Content) / 2; cap(c.store)-len(c.store) < n {
		c.store = make([]pair, 0, some)
	}
	start := len(c.store)
	for i := 0; i+1 < len(m.Content); i += 2 {
		key := resolve(m.Content[i])
		if !c.twice || !slices.ContainsFunc(c.store[start:], func(p pair) bool { return sameKey(p.key, key) }) {
			c.store = append(c.store, pair{key, m.Content[i+1]})
		}
	}
	return c.store[start:len(c.store):len(c.store)]
}

// mergeSources calls add with each mapping that the merge keys of m name.
func mergeSources(m *yaml.Node, add func(*yaml.Node)) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if !isMerge(resolve(m.Content[i])) {
			continue
		}
		switch from := resolve(m.Content[i+1]); from.Kind {
		case yaml.MappingNode:
			add(from)
		case yaml.SequenceNode:
			for _, n := range from.Content {
				if n = resolve(n); n.Kind == yaml.MappingNode {
					add(n)
				}
			}
		}
	}
}

// mergeKey is the field that takes over the fields of another mapping.
const mergeKey = "<<"

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.Tag == "!!merge" }

func sameKey(a, b *yaml.Node) bool {
	return a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Value == b.Value
}

// tree finds what is wrong in any mapping, list or value, whatever it stands for: fields that are given twice, tags, aliases.
func (c *checker) tree(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		c.node(ruleMerge, n, both("the alias *%s; tools that are not written for YAML show it as it stands", "使用了别名*%s，部分工具无法识别", clip(n.Value))).Severity = Info
		return
	case hasCustomTag(n):
		c.node(ruleTag, n, both("the tag %s is not one of YAML's core", "标签%s不是YAML核心标签", clip(n.Tag)))
	case n.Kind == yaml.MappingNode:
		c.fieldsOnce(n)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if !isMerge(key) {
				c.tree(key)
				c.tree(value)
				continue
			}
			c.node(ruleMerge, key, Text{"the merge key << is not part of YAML 1.2", "合并键<<不属于YAML 1.2"})
			c.merged(value)
		}
		return
	}
	for _, child := range n.Content {
		c.tree(child)
	}
}

// merged looks at what a merge key merges; the aliases there are those that it is for.
func (c *checker) merged(value *yaml.Node) {
	sources := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		sources = value.Content
	}
	for _, n := range sources {
		if resolve(n).Kind != yaml.MappingNode {
			c.node(ruleFieldType, n, both("<< takes a mapping, not %s", "<<的值应为映射，而不是%s", scalarOf(resolve(n)).kind.name()))
		} else if n.Kind != yaml.AliasNode {
			c.tree(n)
		}
	}
}

// fieldsOnce finds the fields of a mapping that are given twice.
func (c *checker) fieldsOnce(m *yaml.Node) {
	report := func(first, again *yaml.Node) {
		c.twice = true
		c.node(ruleDuplicateField, again, both("the field %s is given in line %d already", "字段%s在第%d行已存在", clip(again.Value), first.Line))
	}
	if len(m.Content) <= 2*fewFields {
		for i := 2; i < len(m.Content); i += 2 {
			for j := 0; j < i; j += 2 {
				if sameKey(m.Content[i], m.Content[j]) {
					report(m.Content[j], m.Content[i])
					break
				}
			}
		}
		return
	}
	seen := make(map[string]*yaml.Node, len(m.Content)/2)
	for i := 0; i < len(m.Content); i += 2 {
		key := m.Content[i]
		if key.Kind != yaml.ScalarNode {
			continue
		}
		if first, ok := seen[key.Value]; ok {
			report(first, key)
			continue
		}
		seen[key.Value] = key
	}
}

// hasCustomTag reports whether a value has a tag that is not of the core schema. No other finding is made for it.
func hasCustomTag(n *yaml.Node) bool {
	if n.Style&yaml.TaggedStyle == 0 {
		return false
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!seq", "!!map":
		return false
	}
	return true
}

// isExtension reports whether a field is one that authors may add: x-….
func isExtension(name string) bool { return strings.HasPrefix(name, "x-") && len(name) > 2 }

// isLanguage reports whether a field of name or desc is a language: en, zh-TW, pt_BR.
func isLanguage(name string) bool {
	if name == "zh" || name == "en" {
		return true
	}
	for i, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' }) {
		if len(part) > 8 || i == 0 && (len(part) < 2 || len(part) > 3) {
			return false
		}
		for _, c := range []byte(part) {
			if (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return name != "" && name[0] != '-' && name[0] != '_'
}
