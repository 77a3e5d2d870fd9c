package manifest

import (
	"regexp"
	"strconv"
	"strings"
)

// A text whose parts are parsed to find where it goes wrong, up to some two hundred times, has no more bytes, and no more
// brackets, for which the parser takes longest.
const (
	maxBisect         = 64 << 10
	maxBisectBrackets = 5000
)

// syntaxError adds the finding for a text that the YAML parser refused with err.
func (c *collector) syntaxError(err error) {
	msg, line := parserMessage(err)
	if all := c.src.text; len(all) <= maxBisect && strings.Count(all, "[")+strings.Count(all, "{") <= maxBisectBrackets {
		line = c.src.firstBadLine()
	}
	text := c.src.line(line)
	start := c.src.offsetOfLine(line)
	if i := tabInIndent(text); i >= 0 {
		c.at(ruleTab, start+i, start+i+1, Text{"a tab in the indentation; YAML wants spaces", "缩进中使用了制表符，YAML只允许空格"})
		return
	}
	indent := len(text) - len(strings.TrimLeft(text, " \t"))
	at := start + indent
	if strings.Contains(msg, "<document start>") {
		c.at(ruleDocuments, at, at, Text{"a second document starts here; a manifest is one document", "此处开始了第二个文档，manifest只能包含一个文档"})
		return
	}
	c.at(ruleSyntax, at, start+len(strings.TrimRight(text, " \t")), both("not YAML: %s", "不是合法的YAML：%s", explainSyntax(msg, text)))
}

// parserMessage takes an error of the YAML parser apart. The line is 1 when there is none; it is that of the place or up to
// one off.
func parserMessage(err error) (msg string, line int) {
	msg = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits, and too many of them give the last line
		msg = msg[len(m[0]):]
	}
	return msg, max(line, 1)
}

// explainSyntax says what most often stands behind a message of the parser.
func explainSyntax(msg, line string) Text {
	zh := map[string]string{
		"could not find expected ':'":                            "此处缺少“:”",
		"did not find expected key":                              "此处应为字段名，请检查缩进",
		"did not find expected '-' indicator":                    "此处应为“-”，请检查缩进",
		"did not find expected node content":                     "此处缺少值",
		"did not find expected ',' or ']'":                       "缺少“,”或“]”",
		"did not find expected ',' or '}'":                       "缺少“,”或“}”",
		"found unexpected end of stream":                         "引号没有闭合",
		"found character that cannot start any token":            "值不能以该字符开头，请加引号",
		"mapping values are not allowed in this context":         "此处不能出现“: ”，请检查缩进或加引号",
		"block sequence entries are not allowed in this context": "此处不能出现“- ”",
	}[msg]
	if zh == "" {
		zh = msg
	}
	t := Text{msg, zh}
	if m := regexp.MustCompile(`^[\s-]*([A-Za-z_]+):[^\s/]`).FindStringSubmatch(line); m != nil && isField(m[1]) {
		t.EN += `; a blank is missing behind "` + m[1] + `:"`
		t.ZH += "；“" + m[1] + ":”后缺少空格"
	}
	return t
}

// firstBadLine gives the line at which the text stops being YAML, whatever follows: the one behind the longest part that is.
// A quote that is not closed, for which the parser blames the last line, is found where it opens.
func (s *source) firstBadLine() int {
	parses := func(n int) bool { // the first n lines
		_, err := decodeAll(s.text[:s.offsetOfLine(n+1)])
		return err == nil
	}
	good, bad := 0, len(s.lines)
	for bad-good > 1 {
		if mid := (good + bad) / 2; parses(mid) {
			good = mid
			continue
		}
		// A part may end within a list or a quote that closes later.
		mid := (good + bad) / 2
		next := mid + 1
		for next < bad && next < mid+16 && !parses(next) {
			next++
		}
		if next < bad && next < mid+16 {
			good = next
		} else {
			bad = mid
		}
	}
	return good + 1
}

// offsetOfLine gives where a line starts, from 1; the end of the text for one behind the last.
func (s *source) offsetOfLine(n int) int {
	if n > len(s.lines) {
		return len(s.text)
	}
	return s.lines[n-1]
}

// tabInIndent gives the offset of a tab among the blanks and dashes at the start of a line, or -1.
func tabInIndent(line string) int {
	for i := range len(line) {
		switch line[i] {
		case '\t':
			return i
		case ' ', '-':
		default:
			return -1
		}
	}
	return -1
}
