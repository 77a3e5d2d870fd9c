package manifest

import (
	"iter"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// item is an Item while it is checked, with the places of its fields.
type item struct {
	*Item
	usable bool // the key can be used
	fields fields
	node   *yaml.Node
	first  *yaml.Node // the place for what is missing: the first key, or the item when it has none
	when   whenNodes
}

// fields are the fields of an item, each nil when it is missing.
type fields struct {
	key, typ, name, desc, required, def, enumValid, csvValid, strValid, min, max, length, allowRelative, category, enabled *pair

	meant []string // fields that are missing and stand there misspelt: they are not missed
}

// slot gives where the field of a name is kept; nil for a name that is no field.
func (f *fields) slot(name string) **pair {
	switch name {
	case "key":
		return &f.key
	case "type":
		return &f.typ
	case "name":
		return &f.name
	case "desc":
		return &f.desc
	case "required":
		return &f.required
	case "default":
		return &f.def
	case "enum_valid":
		return &f.enumValid
	case "csv_valid":
		return &f.csvValid
	case "str_valid":
		return &f.strValid
	case "min":
		return &f.min
	case "max":
		return &f.max
	case "len":
		return &f.length
	case "allow_relative":
		return &f.allowRelative
	case "category":
		return &f.category
	case "enabled":
		return &f.enabled
	}
	return nil
}

// fieldNames gives the fields of an item.
func fieldNames() iter.Seq[string] {
	return slices.Values([]string{
		"key", "type", "name", "desc", "required", "default", "enum_valid", "csv_valid", "str_valid", "min", "max", "len",
		"allow_relative", "category", "enabled",
	})
}

func isField(name string) bool { return new(fields).slot(name) != nil }

// missed reports whether a field is neither there nor meant by a misspelt one.
func (f *fields) missed(name string) bool {
	return *f.slot(name) == nil && !slices.Contains(f.meant, name)
}

// item checks what an item says by itself, and reports whether it is one.
func (c *checker) item(it *item, at *yaml.Node) bool {
	n := resolve(at)
	c.key = ""
	if hasCustomTag(n) {
		return false
	}
	if n.Kind != yaml.MappingNode {
		c.node(ruleItem, at, both("the item is %s; a setting is a mapping with key, type, name and desc",
			"该元素是%s，配置项应为包含key、type、name和desc的映射", scalarOf(n).kind.name()))
		return false
	}
	it.node, it.first = n, n
	if len(n.Content) > 0 {
		it.first = n.Content[0]
	}
	pairs := c.pairs(n)
	for i := range pairs {
		if slot := it.fields.slot(pairs[i].key.Value); slot != nil && pairs[i].key.Kind == yaml.ScalarNode {
			*slot = &pairs[i]
		}
	}
	c.keyField(it, at)
	for _, p := range pairs {
		if p.key.Kind != yaml.ScalarNode || !isField(p.key.Value) {
			c.unknownField(it, p)
		}
	}
	c.mandatory(it)
	c.typeField(it)
	it.Name = c.texts(it.fields.name, ruleNameMissing)
	it.Desc = c.texts(it.fields.desc, ruleDescMissing)
	c.requiredField(it)
	if p := it.fields.category; p != nil {
		it.Category, _ = c.text(p, ruleBlank)
	}
	c.constraints(it)
	c.defaultField(it)
	return true
}

// unknownField judges a field that no item has: an error when it looks like a slip.
func (c *checker) unknownField(it *item, p pair) {
	name := p.key.Value
	if p.key.Kind == yaml.ScalarNode && isExtension(name) || hasCustomTag(p.key) {
		return
	}
	if p.key.Kind != yaml.ScalarNode {
		c.node(ruleFieldUnknown, p.key, both("the name of a field is %s", "字段名是%s", scalarOf(p.key).kind.name()))
		return
	}
	meant := nearest(name, fieldNames())
	if meant == "" {
		c.node(ruleFieldUnknown, p.key, both("the field %q is not known; fields of your own start with x-", "未知字段%q，自定义字段请以x-开头", clip(name)))
		return
	}
	f := c.node(ruleFieldUnknown, p.key, both("the field %q is not known; did you mean %s?", "未知字段%q，是否应为%s？", clip(name), meant))
	f.Severity = Error
	if *it.fields.slot(meant) != nil || slices.Contains(it.fields.meant, meant) {
		return
	}
	f.Fix = c.replace(p.key, meant)
	it.fields.meant = append(it.fields.meant, meant)
	if v := resolve(p.value); meant == "key" && v.Kind == yaml.ScalarNode {
		c.unusable[v.Value] = true
	}
}

// keyField checks the key. An item whose key has a finding is no target of others.
func (c *checker) keyField(it *item, at *yaml.Node) {
	p := it.fields.key
	if p == nil {
		return
	}
	v := resolve(p.value)
	if v.Kind == yaml.ScalarNode {
		c.key = v.Value
	}
	key, ok := c.stringValue(p, ruleKeyMissing)
	if !ok {
		c.unusable[v.Value] = true
		return
	}
	it.Key = key
	it.Line, it.Column = c.src.placeOf(p.value)
	switch {
	case key == "":
		c.node(ruleKeyMissing, p.value, Text{"the key is empty", "key为空"})
	case !isKey(key):
		c.node(ruleKeySyntax, p.value, both("%q is not a key: parts of letters, digits, _ and - between single dots", "%q不是合法的key：应为由单个点分隔的字母、数字、_和-", clip(key)))
		c.unusable[key] = true
	case c.byKey[key] != nil:
		again := p.value
		if again == c.byKey[key].fields.key.value {
			again = at // an alias or a merge key repeats it
		}
		c.node(ruleKeyDuplicate, again, both("the key %s is in line %d already", "key %s在第%d行已存在", clip(key), c.byKey[key].Line))
	default:
		c.byKey[key] = it
		it.usable = true
	}
}

// isKey reports whether s is written as keys are.
func isKey(s string) bool {
	const longest = 255 // bytes, far more than any key has
	if len(s) > longest {
		return false
	}
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || part[0] == '-' {
			return false
		}
		for _, c := range []byte(part) {
			if c != '_' && c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				return false
			}
		}
	}
	return true
}

// mandatory finds the fields that are missing and that every item has.
func (c *checker) mandatory(it *item) {
	for _, field := range []struct {
		name string
		rule ID
	}{{"key", ruleKeyMissing}, {"type", ruleTypeMissing}, {"name", ruleNameMissing}, {"desc", ruleDescMissing}} {
		if it.fields.missed(field.name) {
			c.node(field.rule, it.first, both("the item has no %s", "配置项缺少%s", field.name))
		}
	}
}

func (c *checker) typeField(it *item) {
	f := &it.fields
	if f.typ == nil {
		return
	}
	text, ok := c.stringValue(f.typ, ruleTypeMissing)
	switch {
	case !ok:
	case text == "":
		c.node(ruleTypeMissing, f.typ.value, Text{"the type is empty", "type为空"})
	case Type(text).known():
		it.Type = Type(text)
	default:
		c.unknownType(f.typ.value, text)
	}
}

func (c *checker) unknownType(at *yaml.Node, text string) {
	all := make([]string, 0, len(Types()))
	for _, t := range Types() {
		all = append(all, string(t))
	}
	meant := nearest(text, slices.Values(all))
	if other := otherType(text); other != "" {
		meant = string(other)
	}
	if meant == "" {
		c.node(ruleTypeUnknown, at, both("the type %q is not known; there are %s", "未知类型%q，支持的类型有%s", clip(text), strings.Join(all, ", ")))
		return
	}
	f := c.node(ruleTypeUnknown, at, both("the type %q is not known; did you mean %s?", "未知类型%q，是否应为%s？", clip(text), meant))
	if strings.EqualFold(text, meant) {
		f.Fix = c.replace(at, meant)
	}
}

// otherType gives the type that has another name elsewhere.
func otherType(name string) Type {
	switch strings.ToLower(name) {
	case "text", "str":
		return TypeString
	case "integer", "int64", "int32", "number":
		return TypeInt
	case "uint64", "uint32", "unsigned":
		return TypeUint
	case "double", "float64", "decimal":
		return TypeFloat
	case "boolean", "switch":
		return TypeBool
	case "list", "array", "strings":
		return TypeCSV
	case "addr", "address", "host", "hostport":
		return TypeAddress
	case "file", "dir", "folder", "directory":
		return TypePath
	case "size", "byte":
		return TypeBytes
	case "time", "interval":
		return TypeDuration
	case "id":
		return TypeUUID
	}
	return ""
}

func (c *checker) requiredField(it *item) {
	if p := it.fields.required; p != nil {
		it.Required, _ = c.boolValue(p, ruleFieldType)
		return
	}
	if !it.fields.missed("required") {
		return
	}
	f := c.node(ruleRequiredMissing, it.first, Text{"the item does not say whether it is required; that means false", "配置项没有声明required，按false处理"})
	if p := it.fields.typ; p != nil && it.node.Style&yaml.FlowStyle == 0 && slices.Contains(it.node.Content, p.key) {
		f.Fix = c.insertBelow(p.value, p.key.Column, "required: false")
	}
}

// insertBelow gives the fix that adds a line behind that of a value, indented to a column.
func (c *checker) insertBelow(n *yaml.Node, column int, text string) *Fix {
	_, end, bare := c.src.span(n)
	if !bare {
		return nil
	}
	eol := strings.IndexAny(c.src.text[end:], "\r\n")
	if eol < 0 {
		return nil
	}
	rest := strings.TrimLeft(c.src.text[end:end+eol], " \t")
	if rest != "" && rest[0] != '#' {
		return nil
	}
	newline := "\n"
	if strings.HasPrefix(c.src.text[end+eol:], "\r\n") {
		newline = "\r\n"
	}
	at := c.src.base + end + eol
	return &Fix{Title: both("add %s", "添加%s", text), Edits: []Edit{{at, at, newline + strings.Repeat(" ", column-1) + text}}}
}
