package manifest

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// basic is the section of the settings that every agent has. Files of old agents have its keys without it.
const basic = "basic."

// A Conf is a configuration file that was held against its manifest.
type Conf struct {
	Findings   []Finding // in the order of the file; those of what is missing, which stand in the manifest, come first
	Evaluation *Evaluation

	// Values are the settings that the manifest knows and that are set, as text.
	Values map[string]string

	src      *source
	readable bool
}

// Readable reports whether the file was read at all: not one that is too large, or UTF-16.
func (c *Conf) Readable() bool { return c.readable }

// Line gives the text of a line of the file, from 1, without its end; the empty string when there is none.
func (c *Conf) Line(n int) string { return c.src.line(n) }

// confSetting is a setting of the file that the manifest knows.
type confSetting struct {
	confEntry
	text  string // the value as it counts
	unset bool   // an agent wrote it for what was not set
	bad   bool   // there is a finding on the value
}

// ParseConf reads a configuration file as agents of the field do, which is stricter and simpler than package kvconf, and
// holds it against the manifest: rules ML501 to ML508. o may be nil. A key may stand with or without the section basic.
// Comments ignore findings as in a manifest; one on a line of its own is for the next setting.
func (m *Manifest) ParseConf(data []byte, o *Options) *Conf {
	if o == nil {
		o = &Options{}
	}
	r := &confReader{}
	conf := &Conf{Values: make(map[string]string)}
	conf.readable = r.open(data)
	conf.src = r.src
	c := &confChecker{confReader: r, manifest: m, settings: make(map[string]*confSetting)}
	c.collect()
	conf.Evaluation = c.evaluate()
	for key, s := range c.settings {
		if !s.unset {
			conf.Values[key] = s.text
		}
	}
	c.compare(conf.Evaluation)
	conf.Findings = c.ignored(o, o.apply(c.found))
	slices.SortStableFunc(conf.Findings, comparePlaces)
	return conf
}

// ignored takes out what comments of the file ignore, and tells the findings of the file from those in the manifest.
func (c *confChecker) ignored(o *Options, found []Finding) []Finding {
	var missing, own []Finding
	for _, f := range found {
		if f.Rule == ruleConfMissing {
			missing = append(missing, f)
		} else {
			own = append(own, f)
		}
	}
	if strings.Contains(c.src.text, ignoreWord) {
		below := func(line int) (first, last int) {
			next := c.src.contentBelow(line)
			return next, next
		}
		own = c.ignore(o, c.src.ignores(nil, below), own, func(ID) bool { return false })
	}
	for i := range own {
		own[i].Conf = true
	}
	return append(missing, own...)
}

type confChecker struct {
	*confReader
	manifest *Manifest
	settings map[string]*confSetting // by the key of the manifest; of duplicates the last one
	suggests int
}

// find gives the item of a key, with or without the section basic.
func (m *Manifest) find(key string) *Item {
	if it := m.byKey[key]; it != nil {
		return it
	}
	if it := m.byKey[basic+key]; it != nil {
		return it
	}
	if flat, ok := strings.CutPrefix(key, basic); ok {
		return m.byKey[flat]
	}
	return nil
}

// collect finds the item of each entry.
func (c *confChecker) collect() {
	lines := make(map[string]int)
	for _, e := range c.entries {
		it := c.manifest.find(e.key)
		c.key = e.key
		if line, ok := lines[e.key]; ok {
			c.at(ruleConfDuplicate, e.keyAt, e.keyAt+len(e.key), both("%s is set in line %d already; this one counts", "%s在第%d行已设置，以此处为准", clip(e.key), line))
		} else if it != nil && c.settings[it.Key] != nil {
			c.at(ruleConfDuplicate, e.keyAt, e.keyAt+len(e.key), both("%s is set already as %s; this one counts", "%s已通过%s设置，以此处为准", clip(e.key), clip(otherName(e.key))))
		}
		lines[e.key], _ = c.src.place(e.keyAt)
		if it == nil {
			c.unknown(e)
			continue
		}
		c.settings[it.Key] = c.setting(it, e)
	}
}

// otherName gives the key with the section basic for one without, and the other way round.
func otherName(key string) string {
	if flat, ok := strings.CutPrefix(key, basic); ok {
		return flat
	}
	return basic + key
}

func (c *confChecker) unknown(e confEntry) {
	text := both("the manifest has no setting %s", "manifest中没有配置项%s", clip(e.key))
	if c.suggests++; c.suggests <= maxSuggests {
		if meant := nearest(e.key, maps.Keys(c.manifest.byKey)); meant != "" {
			text = both("the manifest has no setting %s; did you mean %s?", "manifest中没有配置项%s，是否应为%s？", clip(e.key), meant)
		}
	}
	c.at(ruleConfUndeclared, e.keyAt, e.keyAt+len(e.key), text)
}

// setting reads the value of an entry, without what depends on other settings.
func (c *confChecker) setting(it *Item, e confEntry) *confSetting {
	s := &confSetting{confEntry: e, text: e.value, unset: isUnset(it, e)}
	c.key = it.Key
	switch {
	case s.cut:
		s.bad = true
		c.at(ruleConfHash, e.valueAt, e.valueAt+len(e.value), both("agents cut the value off at the #, and read %q", "Agent会在#处截断，实际读到%q", clip(e.value)))
	case e.quoted:
		c.quotes(it, s)
	case it.Type == TypeCSV:
		c.spaces(it, s)
	}
	return s
}

// quotes says that agents of the field keep the quotes around a value.
func (c *confChecker) quotes(it *Item, s *confSetting) {
	start, end := s.valueAt, s.valueAt+len(s.value)+2
	text := both("agents of the field keep the quotes around %s", "旧版Agent会保留%s两侧的引号", clip(s.value))
	f := c.at(ruleConfValue, start, end, text)
	if it.Type == TypeString || it.Type == TypePath || it.Type == TypeUUID {
		f.Severity = Warning
	}
	if unwritable(s.value) == nil {
		f.Fix = &Fix{Title: Text{"remove the quotes", "删除引号"}, Edits: []Edit{{c.src.base + start, c.src.base + end, s.value}}}
	}
	s.bad = f.Severity == Error
}

// spaces finds members with blanks around them, which agents of the field do not recognise, and takes the blanks off.
func (c *confChecker) spaces(it *Item, s *confSetting) {
	members := splitCSV(s.value)
	at := s.valueAt
	for i, m := range members {
		trimmed := strings.TrimSpace(m)
		if trimmed != m && trimmed != "" {
			from := at + len(m) - len(strings.TrimLeftFunc(m, unicode.IsSpace))
			f := c.at(ruleConfValue, from, from+len(trimmed), both("agents of the field drop %q without a word: no blank around a comma", "旧版Agent会忽略%q：逗号两侧不能有空格", clip(m)))
			f.Severity = Warning
			f.Fix = &Fix{Title: Text{"remove the blanks", "删除空格"}, Edits: []Edit{{c.src.base + at, c.src.base + at + len(m), trimmed}}}
		}
		at += len(m) + len(",")
		members[i] = trimmed
	}
	s.text = strings.Join(members, ",")
}

// isUnset reports whether agents of the field wrote the value for what was not set: they write every key they know.
func isUnset(it *Item, e confEntry) bool {
	switch {
	case e.quoted:
		return false
	case e.value == "null":
		return true
	case it.Type == TypeBytes:
		return e.value == "0 B"
	}
	switch strings.TrimPrefix(it.Key, basic) {
	case "limit.cpu_quota", "log.rotate":
		return e.value == "0"
	}
	return false
}

// evaluate reads the values. Texts that agents cannot read have none.
func (c *confChecker) evaluate() *Evaluation {
	values := make(map[string]any, len(c.settings))
	for key, s := range c.settings {
		if !s.unset {
			values[key] = confText(s.text)
		}
	}
	return c.manifest.Evaluate(values)
}

// confText is a text as it stands in a configuration file: blanks within do not matter, and an empty one is no number.
type confText string

// compare turns what the manifest says to the values into findings.
func (c *confChecker) compare(e *Evaluation) {
	wrong := make(map[string]bool)
	for _, v := range e.Violations {
		s := c.settings[v.Key]
		c.key = v.Key
		wrong[v.Key] = wrong[v.Key] || v.Severity == Error
		switch {
		case s != nil && v.Cause == ruleDefaultUnwritable && !s.emptyMember(v.Member):
			// The file holds it: a "#" at the end of a line, a tab.
		case s == nil || s.unset:
			it := c.manifest.byKey[v.Key]
			f := c.at(ruleConfMissing, 0, 0, both("%s is required and is not set", "缺少必填的配置项%s", it.Key))
			f.Line, f.Column = it.Line, it.Column
			f.EndLine, f.EndColumn = it.Line, it.Column+utf8.RuneCountInString(it.Key)
		case !s.bad:
			c.invalid(s, v)
		}
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		s := c.settings[f.Item.Key]
		if s == nil || s.unset {
			continue
		}
		c.key = f.Item.Key
		if !f.Active {
			c.inactive(f.Item, s, wrong)
			continue
		}
		if f.Item.Type != TypeUUID && f.Item.Default.IsSet() && f.Value.IsSet() && !sameValue(f.Value, f.Item.Default) {
			c.at(ruleConfDefault, s.valueAt, s.valueAt+len(s.value), both("the default is %s", "默认值为%s", clip(f.Item.Default.Text)))
		}
	}
}

// invalid places a violation in the file: at the value, or at a member of it.
func (c *confChecker) invalid(s *confSetting, v Violation) {
	start, end := s.valueAt, s.valueAt+len(s.value)
	if s.quoted {
		end += 2
	}
	if members := splitCSV(s.value); v.Member >= 0 && v.Member < len(members) {
		for _, m := range members[:v.Member] {
			start += len(m) + len(",")
		}
		m := members[v.Member]
		start += len(m) - len(strings.TrimLeftFunc(m, unicode.IsSpace))
		end = start + len(strings.TrimSpace(m))
	}
	c.at(ruleConfValue, start, end, v.Message).Severity = v.Severity
}

// emptyMember reports whether a member of the list is empty.
func (s *confSetting) emptyMember(i int) bool {
	members := splitCSV(s.text)
	return i >= 0 && i < len(members) && members[i] == ""
}

// inactive looks at a setting whose condition is false: agents read it nonetheless, and stop at a text they cannot read. While
// the value of a setting that it depends on is wrong, nobody knows whether it is dead.
func (c *confChecker) inactive(it *Item, s *confSetting, wrong map[string]bool) {
	known := true
	seen := make(map[string]bool) // conditions may go in a circle
	for at := it; at != nil && at.When != nil && !seen[at.Key]; at = c.manifest.byKey[at.When.Target] {
		seen[at.Key] = true
		known = known && !wrong[at.When.Target]
	}
	if known {
		c.at(ruleConfDead, s.keyAt, s.keyAt+len(s.key), both("%s is not active: it needs that %s", "%s未生效：需要满足%s", it.Key, it.When.String()))
	}
	if _, p := it.convert(confText(s.text)); p != nil && !s.bad {
		c.at(ruleConfValue, s.valueAt, s.valueAt+len(s.value), p.text)
	}
}

// sameValue reports whether two values of one type mean the same.
func sameValue(a, b Value) bool {
	switch x := a.Data.(type) {
	case []string:
		y, _ := b.Data.([]string)
		return slices.Equal(x, y)
	case int64, uint64, float64, bool, time.Duration, string:
		return x == b.Data
	}
	return false
}
