package manifest

import (
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// ignoreWord is what every ignore comment has.
const ignoreWord = "manifest-lint"

// maxIgnores is how many ignore comments of a file are looked at.
const maxIgnores = 1000

// An ignore comment takes findings of its rules out of the lines from first to last.
type ignore struct {
	at, end     int // offsets of the comment
	names       []string
	rules       []ID // by name; empty when there is no such rule
	first, last int
	used        []bool // by name
}

// covers gives the index of the rule for which the comment takes the finding out, or -1.
func (ig *ignore) covers(f *Finding) int {
	if f.Line < ig.first || f.Line > ig.last {
		return -1
	}
	return slices.Index(ig.rules, f.Rule)
}

// ignore takes out the findings that comments ignore, and adds one for each rule of a comment that ignored none. Rules that did
// not report, for which elsewhere gives true, are not missed.
func (c *collector) ignore(o *Options, comments []ignore, found []Finding, elsewhere func(ID) bool) []Finding {
	if len(comments) == 0 {
		return found
	}
	found = slices.DeleteFunc(found, func(f Finding) bool {
		out := false
		for i := range comments {
			if rule := comments[i].covers(&f); rule >= 0 {
				comments[i].used[rule] = true
				out = true
			}
		}
		return out
	})
	off := o.rulesOff()
	unused := &collector{src: c.src}
	for _, ig := range comments {
		for i, name := range ig.names {
			switch rule := ig.rules[i]; {
			case rule == "":
				unused.at(ruleUnusedIgnore, ig.at, ig.end, both("there is no rule %q", "不存在规则%q", clip(name)))
			case !ig.used[i] && !off[rule] && !elsewhere(rule):
				unused.at(ruleUnusedIgnore, ig.at, ig.end, both("nothing here breaks %s; remove the comment", "此处没有违反%s，请删除该注释", name))
			}
		}
	}
	return append(found, o.apply(unused.found)...)
}

// isConfRule reports whether a rule is one of configuration files.
func isConfRule(id ID) bool { return id >= ruleConfUndeclared }

// ignores finds the ignore comments of a text. inText gives the offsets, in their order, between which a "#" starts no comment;
// below gives the lines that a comment on a line of its own is for.
func (s *source) ignores(inText [][2]int, below func(line int) (first, last int)) []ignore {
	var all []ignore
	pattern := regexp.MustCompile(`(?m)(?:^|[ \t])#[ \t]*` + ignoreWord + `[ \t]+ignore=([A-Za-z0-9,_-]+)`)
	for _, m := range pattern.FindAllStringSubmatchIndex(s.text, maxIgnores) {
		at := m[0] + strings.IndexByte(s.text[m[0]:m[1]], '#')
		i, _ := slices.BinarySearchFunc(inText, at, func(span [2]int, at int) int { return span[1] - at - 1 })
		if i < len(inText) && inText[i][0] <= at {
			continue
		}
		line, _ := s.place(at)
		ig := ignore{at: at, end: m[1], first: line, last: line}
		for name := range strings.SplitSeq(s.text[m[2]:m[3]], ",") {
			rule, _ := LookupRule(name)
			ig.names, ig.rules = append(ig.names, name), append(ig.rules, rule.ID)
		}
		ig.used = make([]bool, len(ig.names))
		if strings.TrimSpace(s.text[s.offsetOfLine(line):at]) == "" {
			ig.first, ig.last = below(line)
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

// indent counts the blanks at the start of a line; -1 when it is empty or a comment.
func (s *source) indent(n int) int {
	text := s.line(n)
	trimmed := strings.TrimLeft(text, " ")
	if trimmed == "" || trimmed[0] == '#' {
		return -1
	}
	return len(text) - len(trimmed)
}

// contentBelow gives the first line below another that is neither empty nor a comment.
func (s *source) contentBelow(line int) int {
	line++
	for line < len(s.lines) && s.indent(line) < 0 {
		line++
	}
	return line
}

// blockBelow gives the lines of the field or item that starts on the first line of content below a comment: that line and all
// that are indented more.
func (s *source) blockBelow(line int) (first, last int) {
	first = s.contentBelow(line)
	depth := s.indent(first)
	for last = first; last < len(s.lines); last++ {
		if n := s.indent(last + 1); n >= 0 && n <= depth {
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
	slices.SortFunc(all, func(a, b [2]int) int { return a[0] - b[0] })
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
