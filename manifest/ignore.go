package manifest

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ignoreWord is what every ignore comment has.
const ignoreWord = "manifest-lint"

// An ignore comment takes findings of its rules out of the lines from first to last.
type ignore struct {
	at, end     int // offsets of the comment
	rules       []string
	first, last int
	used        []bool // for each rule
}

// ignore takes out the findings that comments ignore, and adds one for each rule of a comment that ignored none.
func (d *Document) ignore(o *Options, found []Finding) []Finding {
	if d.root == nil || !strings.Contains(d.src.text, ignoreWord) {
		return found
	}
	src := *d.src
	comments := src.ignores(d.root)
	found = slices.DeleteFunc(found, func(f Finding) bool {
		out := false
		for i := range comments {
			out = comments[i].covers(f) || out
		}
		return out
	})
	c := &collector{src: &src}
	for _, ig := range comments {
		for i, name := range ig.rules {
			switch _, known := LookupRule(name); {
			case !known:
				c.at(ruleUnusedIgnore, ig.at, ig.end, both("there is no rule %q", "不存在规则%q", clip(name)))
			case !ig.used[i]:
				c.at(ruleUnusedIgnore, ig.at, ig.end, both("nothing here breaks %s; remove the comment", "此处没有违反%s，请删除该注释", name))
			}
		}
	}
	return append(found, o.apply(c.found)...)
}

// covers reports whether the comment takes the finding out.
func (ig *ignore) covers(f Finding) bool {
	if f.Line < ig.first || f.Line > ig.last {
		return false
	}
	for i, name := range ig.rules {
		if rule, ok := LookupRule(name); ok && rule.ID == f.Rule {
			ig.used[i] = true
			return true
		}
	}
	return false
}

// ignores finds the ignore comments of the text.
func (s *source) ignores(root *yaml.Node) []ignore {
	var all []ignore
	pattern := regexp.MustCompile(`(?m)(?:^|[ \t])#[ \t]*` + ignoreWord + `[ \t]+ignore=([A-Za-z0-9,_-]+)`)
	inText := s.scalarSpans(root)
	for _, m := range pattern.FindAllStringSubmatchIndex(s.text, -1) {
		at := m[0] + strings.IndexByte(s.text[m[0]:m[1]], '#')
		if slices.ContainsFunc(inText, func(span [2]int) bool { return span[0] <= at && at < span[1] }) {
			continue
		}
		line, column := s.place(at)
		ig := ignore{at: at, end: m[1], first: line, last: line}
		ig.rules = strings.FieldsFunc(s.text[m[2]:m[3]], func(r rune) bool { return r == ',' })
		ig.used = make([]bool, len(ig.rules))
		if strings.TrimSpace(s.line(line)[:len(s.line(line))-len(s.text[at:at+s.restOfLine(at)])]) == "" {
			ig.first, ig.last = s.blockBelow(line, column)
		}
		all = append(all, ig)
	}
	return all
}

// restOfLine counts the bytes up to the end of the line.
func (s *source) restOfLine(at int) int {
	if n := strings.IndexAny(s.text[at:], "\r\n"); n >= 0 {
		return n
	}
	return len(s.text) - at
}

// blockBelow gives the lines of the field or item that starts on the first line of content below a comment: that line and all
// that are indented more.
func (s *source) blockBelow(line, column int) (first, last int) {
	indent := func(n int) int {
		text := s.line(n)
		trimmed := strings.TrimLeft(text, " ")
		if trimmed == "" || trimmed[0] == '#' {
			return -1
		}
		return len(text) - len(trimmed)
	}
	first = line + 1
	for first < len(s.lines) && indent(first) < 0 {
		first++
	}
	depth := indent(first)
	for last = first; last < len(s.lines); last++ {
		if n := indent(last + 1); n >= 0 && n <= depth {
			break
		}
	}
	return first, last
}

// scalarSpans gives where values stand that may have a "#" in them: those in quotes and blocks.
func (s *source) scalarSpans(n *yaml.Node) [][2]int {
	var all [][2]int
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		for _, child := range n.Content {
			walk(child)
		}
		if n.Kind != yaml.ScalarNode || n.Style&^yaml.TaggedStyle == 0 {
			return
		}
		start := s.skipProperties(s.offset(n.Line, n.Column))
		end := start + scalarLen(s.text[start:], n)
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			start += s.restOfLine(start)
			end = s.blockEnd(start)
		}
		all = append(all, [2]int{start, end})
	}
	walk(n)
	return all
}

// blockEnd gives the end of the block scalar whose content starts behind the line end at start: where a line is indented
// less than the first that is not blank.
func (s *source) blockEnd(start int) int {
	depth := -1
	end := start
	for pos := start; pos < len(s.text); {
		pos += len(s.text[pos:]) - len(strings.TrimLeft(s.text[pos:], "\r\n"))
		text := s.text[pos : pos+s.restOfLine(pos)]
		trimmed := strings.TrimLeft(text, " ")
		indent := len(text) - len(trimmed)
		if trimmed != "" && depth < 0 {
			depth = indent
		}
		if trimmed != "" && indent < depth || text == "" {
			break
		}
		pos += len(text)
		end = pos
	}
	return end
}
