package manifest

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// collector gathers the findings of one file.
type collector struct {
	src   *source
	key   string          // of the item that is looked at
	usual map[ID]Severity // of the rules, filled at the first finding
	found []Finding
	more  int     // findings beyond MaxFindings
	spare Finding // the last of those
	worst Severity
}

// MaxFindings is how many findings of one file are kept.
const MaxFindings = 5_000

// at adds a finding for the bytes from start to end. What it returns is valid until the next one is added.
func (c *collector) at(rule ID, start, end int, text Text) *Finding {
	if c.usual == nil {
		c.usual = make(map[ID]Severity)
		for _, r := range Rules() {
			c.usual[r.ID] = r.Severity
		}
	}
	if len(c.found) == MaxFindings {
		c.more++
		c.worst = c.worstBeyond()
		c.spare = Finding{Severity: c.usual[rule]}
		return &c.spare
	}
	f := Finding{Rule: rule, Severity: c.usual[rule], Message: text, Key: c.key}
	f.Line, f.Column = c.src.place(start)
	f.EndLine, f.EndColumn = c.src.place(end)
	c.found = append(c.found, f)
	return &c.found[len(c.found)-1]
}

// worstBeyond gives the highest severity of the findings that were not kept.
func (c *collector) worstBeyond() Severity { return max(c.worst, c.spare.Severity) }

// node adds a finding for a value or a key.
func (c *collector) node(rule ID, n *yaml.Node, text Text) *Finding {
	start, end, _ := c.src.span(n)
	return c.at(rule, start, end, text)
}

// span gives where a node stands. For what is not one scalar on one line, end is start. bare tells that nothing but the value
// stands there, no anchor and no tag, so that it can be replaced.
func (s *source) span(n *yaml.Node) (start, end int, bare bool) {
	start = s.offset(n.Line, n.Column)
	if n.Kind != yaml.ScalarNode && n.Kind != yaml.AliasNode {
		return start, start, false
	}
	at := s.skipProperties(start)
	end = at + scalarLen(s.text[at:], n)
	if end == at || strings.ContainsAny(s.text[start:end], "\r\n") {
		return start, start, false
	}
	return start, end, at == start
}

// skipProperties gives the offset behind the anchor and the tag that stand in front of a value.
func (s *source) skipProperties(at int) int {
	for at < len(s.text) && (s.text[at] == '&' || s.text[at] == '!') {
		n := strings.IndexAny(s.text[at:], " \t\r\n")
		if n < 0 {
			return len(s.text)
		}
		at += n
		at += len(s.text[at:]) - len(strings.TrimLeft(s.text[at:], " \t"))
	}
	return at
}

// scalarLen gives the bytes that the value takes at the start of text, with its quotes; 0 when it is a block or goes over lines.
func scalarLen(text string, n *yaml.Node) int {
	switch {
	case n.Kind == yaml.AliasNode:
		if strings.HasPrefix(text, "*"+n.Value) {
			return 1 + len(n.Value)
		}
	case n.Style&yaml.DoubleQuotedStyle != 0 && strings.HasPrefix(text, `"`):
		for i := 1; i < len(text); i++ {
			switch text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
	case n.Style&yaml.SingleQuotedStyle != 0 && strings.HasPrefix(text, "'"):
		for i := 1; i < len(text); i++ {
			if text[i] != '\'' {
				continue
			}
			if !strings.HasPrefix(text[i+1:], "'") {
				return i + 1
			}
			i++
		}
	case n.Style&^yaml.TaggedStyle == 0 && strings.HasPrefix(text, n.Value):
		return len(n.Value)
	}
	return 0
}

// replace gives the fix that puts text in the place of a value; nil when it cannot be replaced alone.
func (c *collector) replace(n *yaml.Node, text string) *Fix {
	start, end, bare := c.src.span(n)
	if !bare {
		return nil
	}
	return &Fix{
		Title: both("write %s", "改为%s", text),
		Edits: []Edit{{c.src.base + start, c.src.base + end, text}},
	}
}

// quoted gives text as a value of YAML in double quotes; text is on one line.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}
