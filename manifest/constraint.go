package manifest

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// constraints checks the fields that limit the values of an item. One that is not for the item's type is not looked into.
func (c *checker) constraints(it *item) {
	f := &it.fields
	if p := f.enumValid; c.applies(it, p, TypeEnum) {
		it.EnumValid = c.members(it, p, ",")
	} else if p == nil && it.Type == TypeEnum && f.missed("enum_valid") {
		c.node(ruleEnumMissing, it.first, Text{"an enum needs enum_valid, the list of its values", "enum类型需要enum_valid列出允许的值"})
	}
	if p := f.csvValid; c.applies(it, p, TypeCSV) {
		it.CSVValid = c.members(it, p, "")
	}
	if p := f.strValid; c.applies(it, p, TypeString) {
		c.strValid(it, p)
	}
	if p := f.length; c.applies(it, p, TypeString, TypeCSV, TypePath) {
		it.Len = c.length(p)
	}
	if p := f.allowRelative; c.applies(it, p, TypePath) {
		if value, ok := c.boolValue(p, ruleFieldType); ok {
			it.AllowRelative = &value
		}
	}
	c.bounds(it)
}

// applies reports whether a constraint is there and for the item's type, which it may be when the type is not known.
func (c *checker) applies(it *item, p *pair, types ...Type) bool {
	if p == nil {
		return false
	}
	if it.Type == "" || slices.Contains(types, it.Type) {
		return true
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = string(t)
	}
	c.node(ruleMisapplied, p.key, both("%s is not for type %s, only for %s", "%s不适用于%s类型，仅适用于%s", p.key.Value, it.Type, strings.Join(names, ", ")))
	return false
}

// members checks enum_valid or csv_valid. Those of a csv may not have a comma, which is what allowed is for.
func (c *checker) members(it *item, p *pair, allowed string) []string {
	v := resolve(p.value)
	name := p.key.Value
	switch s := scalarOf(v); {
	case hasCustomTag(v):
		return nil
	case s.kind == kindNull:
		c.node(ruleEnumEmpty, p.key, both("%s is empty", "%s为空", name))
		return nil
	case s.kind != kindList:
		f := c.node(ruleFieldType, p.value, both("%s is %s, not a list", "%s是%s，应为列表", name, s.kind.name()))
		if s.kind == kindString && v.Style == 0 && !strings.ContainsAny(s.text, "[]{}#&*!|>'\"%@`:") {
			f.Fix = c.replace(p.value, "[ "+strings.Join(strings.FieldsFunc(s.text, func(r rune) bool { return r == ',' || r == ' ' }), ", ")+" ]")
		}
		return nil
	case len(v.Content) == 0:
		c.node(ruleEnumEmpty, p.value, both("%s has no members", "%s中没有成员", name))
		return nil
	}
	members := make([]string, 0, len(v.Content))
	good := true
	seen := make(map[string]bool, len(v.Content))
	for _, n := range v.Content {
		text, ok := c.validMember(it, n, name, allowed)
		if !ok {
			good = false
			continue
		}
		if seen[text] {
			c.node(ruleValidDuplicate, n, both("%s has %q already", "%s中已有%q", name, clip(text)))
			continue
		}
		seen[text] = true
		members = append(members, text)
	}
	if !good {
		return nil // a default or a contain cannot be held against what is wrong itself
	}
	it.valid = seen
	return members
}

func (c *checker) validMember(it *item, n *yaml.Node, field, allowed string) (string, bool) {
	v := resolve(n)
	s := scalarOf(v)
	switch {
	case hasCustomTag(v):
		return "", false
	case s.kind == kindNull && s.text == "" || s.kind == kindString && s.text == "":
		c.node(ruleValidMember, n, both("a member of %s is empty", "%s的成员为空", field))
		return "", false
	case s.kind >= kindList:
		c.node(ruleFieldType, n, both("a member of %s is %s", "%s的成员是%s", field, s.kind.name()))
		return "", false
	case s.kind == kindNull:
		c.node(ruleValidMember, n, both("a member of %s is null; put it in quotes", "%s的成员是null，请加引号", field))
		return "", false
	}
	if s.legacy != notLegacy && s.legacy != legacyLetter {
		c.legacy(n, s)
		return s.text, true
	}
	if strings.Contains(s.text, ",") && allowed == "" {
		c.node(ruleValidMember, n, both("the member %q has a comma, which separates members", "成员%q包含逗号，而逗号用于分隔成员", clip(s.text)))
		return "", false
	}
	if p := unwritable(s.text); p != nil {
		c.node(ruleValidMember, n, p.text)
		return "", false
	}
	return s.text, true
}

// strValid checks the regular expression of a string.
func (c *checker) strValid(it *item, p *pair) {
	text, ok := c.stringValue(p, ruleFieldType)
	if !ok || text == "" {
		return
	}
	if pattern, ok := c.compiled[text]; ok { // a settled one, without findings
		it.StrValid, it.pattern = text, pattern
		return
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
		c.node(rulePattern, p.value, both("not a regular expression of Go: %s", "不是合法的Go正则表达式：%s", clip(why)))
		return
	}
	if c.patterns += patternSize(parsed); c.patterns > maxPatterns {
		c.node(rulePattern, p.value, Text{"the regular expressions of this file are too large", "此文件的正则表达式过大"})
		return
	}
	pattern, err := regexp.Compile(`^(?:` + text + `)$`)
	if err != nil {
		c.node(rulePattern, p.value, Text{`a regular expression that cannot be anchored; close \Q with \E`, `正则表达式无法匹配整个值，请用\E结束\Q`})
		return
	}
	if what := notPortable(text); what != "" {
		c.node(rulePatternPortable, p.value, both("%s is not what it is in JavaScript, which checks forms", "%s在JavaScript（用于校验表单）中含义不同", what))
	} else {
		c.compiled[text] = pattern
	}
	it.StrValid, it.pattern = text, pattern
}

// length checks len; 0 means any length.
func (c *checker) length(p *pair) int64 {
	v := resolve(p.value)
	s := scalarOf(v)
	switch {
	case hasCustomTag(v):
		return 0
	case s.kind == kindNull:
		c.node(ruleFieldType, p.key, Text{"len is empty; it is a number of characters or members", "len为空，应为字符数或成员数"})
		return 0
	case s.isLegacyNumber():
		c.legacyNumber(p.value, s)
		return 0
	case s.kind != kindInt:
		f := c.node(ruleFieldType, p.value, both("len is %s, not a whole number", "len是%s，应为整数", s.kind.name()))
		if s.kind == kindString && digitsIn(s.text) == len(s.text) && s.text != "" && s.text[0] != '0' {
			f.Fix = c.replace(p.value, s.text)
		}
		return 0
	}
	n, err := strconv.ParseInt(s.text, 0, 64)
	switch {
	case err != nil || n < 0:
		c.node(ruleFieldType, p.value, both("len is %s, not 0 to 2^63-1", "len为%s，应在0到2^63-1之间", clip(s.text)))
	case n == 0:
		c.node(ruleLenZero, p.value, Text{"len 0 does not limit the length; leave it out", "len为0表示不限长度，请删除该字段"})
	default:
		return n
	}
	return 0
}

// bounds checks min and max, and compares them when both can be used.
func (c *checker) bounds(it *item) {
	types := []Type{TypeInt, TypeUint, TypeFloat, TypeBytes, TypeDuration}
	if p := it.fields.min; c.applies(it, p, types...) && it.Type != "" {
		it.Min = c.bound(it, p)
	}
	if p := it.fields.max; c.applies(it, p, types...) && it.Type != "" {
		it.Max = c.bound(it, p)
	}
	if it.Min.IsSet() && it.Max.IsSet() && compareValues(it.Min, it.Max) > 0 {
		c.node(ruleBoundOrder, it.fields.min.value, both("min %s is above max %s", "min %s大于max %s", clip(it.Min.Text), clip(it.Max.Text)))
		it.Min, it.Max = Value{}, Value{}
	}
}

func (c *checker) bound(it *item, p *pair) Value {
	v := resolve(p.value)
	s := scalarOf(v)
	if hasCustomTag(v) {
		return Value{}
	}
	if s.kind == kindNull {
		c.node(ruleBoundType, p.key, both("%s is empty", "%s为空", p.key.Value))
		return Value{}
	}
	if s.isLegacyNumber() && isNumeric(it.Type) {
		c.legacyNumber(p.value, s)
		return Value{}
	}
	value, bad := valueOf(it.Type, s)
	if bad == nil {
		return value
	}
	if it.Type == TypeUint && strings.HasPrefix(s.text, "-") && s.kind == kindInt {
		c.node(ruleBoundNegative, p.value, both("%s is negative, a uint is not", "%s为负数，uint不允许负数", p.key.Value))
		return Value{}
	}
	f := c.node(ruleBoundType, p.value, both("%s: %s", "%s：%s", p.key.Value, bad.text))
	if bad.fix != "" {
		f.Fix = c.replace(p.value, bad.fix)
	}
	return Value{}
}

// isNumeric reports whether values of the type are numbers of YAML.
func isNumeric(t Type) bool { return t == TypeInt || t == TypeUint || t == TypeFloat }

// legacyNumber adds the finding for a number that YAML 1.2 does not have, or reads otherwise.
func (c *checker) legacyNumber(at *yaml.Node, s scalar) {
	f := c.node(ruleYAML11, at, both("%s is %s; write a plain decimal number", "%s%s，请写作普通的十进制数", clip(s.text), s.legacy.why()))
	if plain := strings.ReplaceAll(s.text, "_", ""); s.legacy == legacyDigits && plain != s.text {
		if _, l := plainKind(plain); l == notLegacy {
			f.Fix = c.replace(at, plain)
		}
	}
}
