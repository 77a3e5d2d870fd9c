package manifest

import (
	"sort"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

const bom = "\ufeff"

// source is the text of a file and where its lines start. Offsets are into text, which has no byte order mark.
type source struct {
	text  string
	base  int   // bytes of the byte order mark that was in front
	lines []int // where each line starts, as people count: a line ends with LF, CRLF or a lone CR
	marks []int // where each line starts, as the YAML parser counts; nil when it is the same

	// Places are asked for in the order of the text, mostly: the last answers make the next ones cheap in a line that is long.
	lastOffset, lastPlace spot
}

// spot is a place in a line and its offset.
type spot struct{ line, column, at int }

// newSource takes the text apart.
func newSource(data []byte) *source {
	s := &source{text: string(data)}
	if rest, ok := strings.CutPrefix(s.text, bom); ok {
		s.text, s.base = rest, len(bom)
	}
	s.lines = lineStarts(s.text, false)
	if strings.ContainsAny(s.text, "\u0085\u2028\u2029") {
		s.marks = lineStarts(s.text, true)
	}
	return s
}

// lineStarts gives the offsets of lines. YAML's parser ends a line at NEL, LS and PS as well.
func lineStarts(text string, exotic bool) []int {
	starts := append(make([]int, 0, 1+strings.Count(text, "\n")), 0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\n':
			starts = append(starts, i+1)
		case c == '\r' && !strings.HasPrefix(text[i+1:], "\n"):
			starts = append(starts, i+1)
		case exotic && strings.HasPrefix(text[i:], "\u0085"):
			starts = append(starts, i+2)
		case exotic && (strings.HasPrefix(text[i:], "\u2028") || strings.HasPrefix(text[i:], "\u2029")):
			starts = append(starts, i+3)
		}
	}
	return starts
}

// offset gives the byte offset of a place that the YAML parser reports: line and column from 1, in characters.
func (s *source) offset(line, column int) int {
	starts := s.lines
	if s.marks != nil {
		starts = s.marks
	}
	if line < 1 || line > len(starts) {
		return len(s.text)
	}
	if last := s.lastOffset; last.line != line || last.column > column {
		s.lastOffset = spot{line, 1, starts[line-1]}
	}
	p := &s.lastOffset
	for ; p.column < column && p.at < len(s.text); p.column++ {
		_, size := utf8.DecodeRuneInString(s.text[p.at:])
		p.at += size
	}
	return p.at
}

// place gives line and column, both from 1, of a byte offset.
func (s *source) place(at int) (line, column int) {
	line = sort.SearchInts(s.lines, at+1)
	if last := s.lastPlace; last.line != line || last.at > at {
		s.lastPlace = spot{line, 1, s.lines[line-1]}
	}
	p := &s.lastPlace
	p.column += utf8.RuneCountInString(s.text[p.at:at])
	p.at = at
	return line, p.column
}

// placeOf gives line and column of a node, which the parser counts as people do unless there are line ends that only YAML has.
func (s *source) placeOf(n *yaml.Node) (line, column int) {
	if s.marks == nil {
		return n.Line, n.Column
	}
	return s.place(s.offset(n.Line, n.Column))
}

// line gives the text of a line, which counts from 1, without its end.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	end := len(s.text)
	if n < len(s.lines) {
		end = s.lines[n]
	}
	return strings.TrimRight(s.text[s.lines[n-1]:end], "\r\n")
}

// badUTF8 gives the offset of the first byte that is not UTF-8, or -1.
func (s *source) badUTF8() int {
	if utf8.ValidString(s.text) {
		return -1
	}
	for i, r := range s.text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s.text[i:]); size == 1 {
				return i
			}
		}
	}
	return -1
}

// badControl gives the offset of the first character that no YAML file may have, or -1.
func (s *source) badControl() int {
	return strings.IndexFunc(s.text, func(r rune) bool {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == 0x85:
			return false
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return true
		}
		return r == 0xfffe || r == 0xffff
	})
}
