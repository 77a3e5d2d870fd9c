package manifest

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// defaultField checks the default of an item; that of one without a known type is not looked at.
func (c *checker) defaultField(it *item) {
	p := it.fields.def
	if p == nil {
		return
	}
	v := resolve(p.value)
	s := scalarOf(v)
	switch {
	case hasCustomTag(v):
		return
	case s.kind == kindNull:
		c.node(ruleDefaultNull, p.key, Text{"the default is null; leave it out", "默认值为null，请删除该字段"}).Fix = c.removeLine(it, p)
		return
	case it.Type == "":
		return
	}
	var places []*yaml.Node
	if it.Type == TypeCSV {
		var ok bool
		if it.Default, places, ok = c.csvDefault(p, v, s); !ok {
			it.Default = Value{}
			return
		}
	} else if !c.scalarDefault(it, p, s) {
		return
	}
	problems := it.violations(it.Default)
	if f := it.fields.allowRelative; f != nil && it.AllowRelative == nil {
		// Whether the path may be relative is not known.
		problems = slices.DeleteFunc(problems, func(bad *problem) bool { return bad.rule == ruleDefaultPath })
	}
	for _, bad := range problems {
		at := p.value
		if bad.member >= 0 && bad.member < len(places) {
			at = places[bad.member]
		}
		f := c.node(bad.rule, at, bad.text)
		f.Severity = bad.severity
		if bad.severity == Error {
			it.Default = Value{}
		}
	}
	if it.Type == TypeUUID && len(problems) == 0 && !strings.Contains(it.Default.Text, "$") {
		c.node(ruleSharedID, p.value, both("every host gets the identifier %q; $HOSTNAME or $IP differ from host to host",
			"所有主机都使用标识%q，使用$HOSTNAME或$IP可区分主机", clip(it.Default.Text)))
	}
}

// scalarDefault reads a default that is not a list and reports whether it has the item's type.
func (c *checker) scalarDefault(it *item, p *pair, s scalar) bool {
	if it.Type == TypeBool {
		value, ok := c.boolValue(p, ruleDefaultType)
		if ok {
			it.Default = Value{value, strconv.FormatBool(value)}
		}
		return false // nothing else can be wrong with a bool
	}
	if s.isLegacyNumber() && isNumeric(it.Type) {
		c.legacyNumber(p.value, s)
		return false
	}
	value, bad := valueOf(it.Type, s)
	if bad != nil {
		f := c.node(bad.rule, p.value, bad.text)
		if bad.fix != "" {
			f.Fix = c.replace(p.value, bad.fix)
		}
		return false
	}
	it.Default = value
	if s.legacy != notLegacy && s.legacy != legacyLetter && !isNumeric(it.Type) {
		c.legacy(p.value, s)
	}
	return true
}

// csvDefault reads a list, or a text with commas. places are those of its members.
func (c *checker) csvDefault(p *pair, v *yaml.Node, s scalar) (value Value, places []*yaml.Node, ok bool) {
	if s.kind == kindMap {
		c.node(ruleDefaultType, p.value, Text{"the default is a mapping, not a list", "默认值是映射，应为列表"})
		return Value{}, nil, false
	}
	if s.kind != kindList {
		members := splitCSV(s.text)
		for i, m := range members {
			members[i] = strings.TrimSpace(m)
		}
		list := listText(members)
		f := c.node(ruleDefaultScalar, p.value, both("the default of a csv is a list: %s", "csv的默认值应为列表：%s", list))
		f.Fix = c.replace(p.value, list)
		return csvValue(members), nil, true
	}
	members := make([]string, 0, len(v.Content))
	ok = true
	for _, n := range v.Content {
		member := resolve(n)
		switch m := scalarOf(member); {
		case hasCustomTag(member):
			ok = false
		case m.kind == kindNull || m.kind >= kindList:
			c.node(ruleDefaultType, n, both("a member of the default is %s", "默认值的成员是%s", m.kind.name()))
			ok = false
		default:
			if m.legacy != notLegacy && m.legacy != legacyLetter {
				c.legacy(n, m)
			}
			members = append(members, m.text)
		}
	}
	return csvValue(members), v.Content, ok
}

// listText gives members as a list in one line of YAML.
func listText(members []string) string {
	if len(members) == 0 {
		return "[]"
	}
	texts := make([]string, len(members))
	for i, m := range members {
		texts[i] = m
		if k, l := plainKind(m); k != kindString || l > legacyLetter || l == legacyBool || strings.ContainsAny(m, "[]{}#&*!|>'\"%@`:, ?") || m == "-" {
			texts[i] = quoted(m)
		}
	}
	return "[ " + strings.Join(texts, ", ") + " ]"
}

// valueOf reads a value of YAML, which is not null, as one of a type other than csv and bool.
func valueOf(t Type, s scalar) (Value, *problem) {
	mismatch := func(fix string) (Value, *problem) {
		p := wrong(ruleDefaultType, "the value is %s, not of type %s", "该值是%s，不是%s类型", s.kind.name(), t)
		p.fix = fix
		return Value{}, p
	}
	switch t {
	case TypeInt, TypeUint, TypeFloat:
		fits := s.kind == kindInt || t == TypeFloat && s.kind == kindFloat
		if !fits {
			if _, bad := parseText(t, s.text); s.kind == kindString && bad == nil {
				return mismatch(s.text)
			}
			return mismatch("")
		}
		return numberValue(t, s.text)
	case TypeEnum:
		if s.kind >= kindList {
			return mismatch("")
		}
		return Value{s.text, s.text}, nil
	}
	if s.kind != kindString {
		if s.kind < kindList && (t == TypeString || t == TypePath || t == TypeUUID) {
			return mismatch(quoted(s.text))
		}
		value, p := mismatch("")
		if s.kind == kindInt && t == TypeBytes {
			p.text = both("a number without quotes is no size; write %q for bytes, or a unit as in 10M", "不带引号的数字不是字节数，请写作%q（字节）或带单位，例如10M", clip(s.text)+"B")
		} else if s.kind == kindInt && t == TypeDuration {
			p.text = both("a number is no duration; write a unit, as in %q", "数字不是时长，请带上单位，例如%q", clip(s.text)+"s")
		}
		return value, p
	}
	return parseText(t, s.text)
}

// numberValue reads a number of YAML, which may have a sign and be hexadecimal or octal.
func numberValue(t Type, text string) (Value, *problem) {
	switch t {
	case TypeInt:
		n, err := strconv.ParseInt(text, 0, 64)
		return Value{n, strconv.FormatInt(n, 10)}, numberProblem(err, t, text)
	case TypeUint:
		plain := strings.TrimPrefix(text, "+")
		if strings.Trim(text, "-0") == "" && text != "" {
			plain = "0"
		}
		n, err := strconv.ParseUint(plain, 0, 64)
		return Value{n, strconv.FormatUint(n, 10)}, numberProblem(err, t, text)
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return Value{float64(n), text}, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err == nil && math.IsInf(f, 0) {
		err = strconv.ErrRange
	}
	return Value{f, strings.TrimPrefix(text, "+")}, numberProblem(err, t, text)
}

// violations gives what is wrong with a value of the item's type: everything that the item does not allow.
func (it *Item) violations(v Value) []*problem {
	var all []*problem
	add := func(p *problem) {
		if p != nil {
			all = append(all, p)
		}
	}
	switch it.Type {
	case TypeString:
		if p := unwritable(v.Text); p != nil {
			return []*problem{p}
		}
		if it.pattern != nil && !it.pattern.MatchString(v.Text) {
			add(wrong(ruleDefaultPattern, "%q does not match %s", "%q不匹配%s", clip(v.Text), clip(it.StrValid)))
		}
		add(it.tooLong(int64(utf8.RuneCountInString(v.Text)), v.Text))
	case TypePath:
		if p := unwritable(v.Text); p != nil {
			return []*problem{p}
		}
		add(it.relative(v.Text))
		add(it.tooLong(int64(utf8.RuneCountInString(v.Text)), v.Text))
	case TypeUUID:
		switch {
		case strings.TrimSpace(v.Text) == "":
			add(wrong(ruleDefaultUUID, "the identifier is empty", "标识为空"))
		case strings.ContainsFunc(v.Text, unicode.IsSpace):
			add(wrong(ruleDefaultUUID, "the identifier %q has white space", "标识%q包含空白", clip(v.Text)))
		default:
			add(unwritable(v.Text))
		}
	case TypeEnum:
		if it.valid != nil && !it.valid[v.Text] {
			add(notAllowed(ruleDefaultEnum, v.Text, it.EnumValid))
		} else if it.valid == nil { // what it may be is not known
			add(unwritable(v.Text))
		}
	case TypeAddress, "":
		add(unwritable(v.Text)) // the zone of an IPv6 address may be anything
	case TypeCSV:
		return it.csvViolations(v.Data.([]string))
	case TypeInt, TypeUint, TypeFloat, TypeBytes, TypeDuration:
		add(unwritable(strings.TrimSpace(v.Text))) // a size may have any white space in front of its unit
		if it.Min.IsSet() && compareValues(v, it.Min) < 0 {
			add(wrong(ruleDefaultRange, "%s is below the minimum %s", "%s小于最小值%s", clip(v.Text), clip(it.Min.Text)))
		}
		if it.Max.IsSet() && compareValues(v, it.Max) > 0 {
			add(wrong(ruleDefaultRange, "%s is above the maximum %s", "%s大于最大值%s", clip(v.Text), clip(it.Max.Text)))
		}
	}
	return all
}
