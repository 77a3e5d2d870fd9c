package manifest

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// texts checks name or desc: a mapping of languages to texts, of which zh is needed.
func (c *checker) texts(p *pair, missing ID) (texts Texts) {
	if p == nil {
		return Texts{}
	}
	field := p.key.Value
	v := resolve(p.value)
	s := scalarOf(v)
	switch {
	case hasCustomTag(v):
		return Texts{}
	case s.kind == kindNull:
		c.node(missing, p.key, both("%s is empty", "%s为空", field))
		return Texts{}
	case s.kind != kindMap:
		c.node(ruleFieldType, p.value, both("%s is %s; it is a mapping of languages, as %[1]s: { zh: … }", "%s是%s，应为语言的映射，例如%[1]s: { zh: … }", field, s.kind.name()))
		return Texts{}
	}
	pairs := c.pairs(v)
	at, haveZH, slip := v, false, false
	for i := range pairs {
		q := &pairs[i]
		if i == 0 {
			at = q.key
		}
		name := q.key.Value
		switch {
		case q.key.Kind == yaml.ScalarNode && isExtension(name) || hasCustomTag(q.key):
			continue
		case q.key.Kind != yaml.ScalarNode || !isLanguage(name):
			c.node(ruleFieldUnknown, q.key, both("%q is not a language; name and desc have fields as zh, en, zh-TW", "%q不是语言代码，name和desc的字段应为zh、en、zh-TW等", clip(name)))
			continue
		case name != "zh" && strings.EqualFold(name, "zh"):
			c.node(ruleFieldUnknown, q.key, both("%q is not known; did you mean zh?", "未知字段%q，是否应为zh？", name)).Severity = Error
			slip = true
			continue
		}
		rule := ruleBlank
		if name == "zh" {
			haveZH, rule = true, missing
		}
		if text, ok := c.text(q, rule); ok {
			texts.set(name, text)
		}
	}
	if !haveZH && !slip {
		c.node(missing, at, both("%s.zh is missing", "缺少%s.zh", field))
	}
	return texts
}

// text checks a text that people read: a string that is not blank. One that is empty is a finding of the rule empty.
func (c *checker) text(p *pair, empty ID) (string, bool) {
	text, ok := c.stringValue(p, empty)
	switch {
	case ok && text == "":
		c.node(empty, p.value, both("%s is empty", "%s为空", clip(p.key.Value)))
	case ok && strings.TrimSpace(text) == "":
		c.node(ruleBlank, p.value, both("%s is blank", "%s为空白", clip(p.key.Value)))
	default:
		return text, ok
	}
	return "", false
}

// stringValue checks a field that is a string; null is a finding of the rule null, at the key.
func (c *checker) stringValue(p *pair, null ID) (string, bool) {
	v := resolve(p.value)
	s := scalarOf(v)
	switch {
	case hasCustomTag(v):
		return "", false
	case s.kind == kindNull:
		c.node(null, p.key, both("%s is empty", "%s为空", clip(p.key.Value)))
		return "", false
	case s.kind == kindString:
		if s.legacy != notLegacy && s.legacy != legacyLetter {
			c.legacy(p.value, s)
		}
		return s.text, true
	}
	f := c.node(ruleFieldType, p.value, both("%s is %s, not a string", "%s是%s，应为字符串", clip(p.key.Value), s.kind.name()))
	if s.kind < kindList && p.key.Value != "type" {
		f.Fix = c.replace(p.value, quoted(s.text))
	}
	return "", false
}

// boolValue checks a field that is true or false; anything else is a finding of the rule wrong.
func (c *checker) boolValue(p *pair, wrong ID) (value, ok bool) {
	v := resolve(p.value)
	s := scalarOf(v)
	name := clip(p.key.Value)
	switch {
	case hasCustomTag(v):
		return false, false
	case s.kind == kindNull:
		c.node(wrong, p.key, both("%s is empty; it is true or false", "%s为空，应为true或false", name))
		return false, false
	case s.kind == kindBool:
		return strings.EqualFold(s.text, "true"), true
	case s.legacy == legacyBool || s.legacy == legacyLetter:
		value = strings.ContainsAny(s.text[:1], "yY") || strings.EqualFold(s.text, "on")
		text := map[bool]string{true: "true", false: "false"}[value]
		c.node(ruleYAML11, p.value, both("%s is %s; write %s", "%s%s，请写作%s", s.text, s.legacy.why(), text)).Fix = c.replace(p.value, text)
		return value, true
	}
	f := c.node(wrong, p.value, both("%s is %s, not true or false", "%s是%s，应为true或false", name, s.kind.name()))
	if lower := strings.ToLower(s.text); s.kind == kindString && (lower == "true" || lower == "false") {
		f.Message = both("%s is a string; write %s without quotes", "%s是字符串，请写作不带引号的%s", name, lower)
		f.Fix = c.replace(p.value, lower)
	}
	return false, false
}

// legacy adds the finding for a text without quotes that readers of YAML 1.1 take for something else.
func (c *checker) legacy(at *yaml.Node, s scalar) {
	f := c.node(ruleYAML11, at, both("%s is %s; put it in quotes", "%s%s，请加引号", clip(s.text), s.legacy.why()))
	f.Fix = c.replace(at, quoted(s.text))
}
