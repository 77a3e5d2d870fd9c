package kvconf

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The kinds of problem. Every *Error wraps exactly one of them, so that errors.Is tells them apart.
var (
	// ErrSyntax is a line that is neither blank, a comment, nor "key = value", or a quoted value that is not closed.
	ErrSyntax = errors.New("syntax error")
	// ErrEncoding is a key or value with a byte that is not UTF-8 or a control character that is not escaped.
	ErrEncoding = errors.New("not plain UTF-8 text")
	// ErrLineTooLong is a line over the decoder's limit.
	ErrLineTooLong = errors.New("line too long")
	// ErrUnknownKey is a key that the Go value has no place for.
	ErrUnknownKey = errors.New("unknown key")
	// ErrDuplicateKey is a key that was set before in the same input.
	ErrDuplicateKey = errors.New("duplicate key")
	// ErrValue is a value that is not of the form that its Go type wants.
	ErrValue = errors.New("invalid value")
	// ErrRange is a number, size or duration that does not fit its Go type.
	ErrRange = errors.New("value out of range")
	// ErrUnset is a $NAME in a value whose name is not set.
	ErrUnset = errors.New("variable not set")
	// ErrType is a Go type, tag or target that this package cannot work with: a mistake of the program, not of the file.
	ErrType = errors.New("unsupported type")
	// ErrUnwritable is a Go value or key that the text cannot hold.
	ErrUnwritable = errors.New("cannot be written")
)

// Error is one problem at one place.
type Error struct {
	File   string // the name given to Decoder.File, or empty
	Line   int    // from 1; 0 when the problem has no place, as with values that are encoded
	Column int    // from 1, in characters: the value for a bad value, the key for a key that is unknown or duplicate
	Key    string // the full key, for a JSON value with the path inside it (limit.disk_limit[0].dev); empty when the line has none
	Kind   error  // one of the Err… variables
	Msg    string // what is wrong, without place and key

	Suggest   string // for ErrUnknownKey: the key that was probably meant, or empty
	FirstLine int    // for ErrDuplicateKey: the line of the first occurrence, or 0
	Snippet   string // the line as it stands in the file, cut when very long; empty for entries from elsewhere and for secrets
	Err       error  // what a TextUnmarshaler or a reader said, or nil

	caret int // characters of Snippet before the place
}

// Error gives the problem in one line: agent.conf:7:13: basic.log.size: "10Q" is not a size.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.File != "":
		b.WriteString(printable(e.File))
		b.WriteByte(':')
		if e.Line > 0 {
			b.WriteString(strconv.Itoa(e.Line))
			b.WriteByte(':')
			if e.Column > 0 {
				b.WriteString(strconv.Itoa(e.Column))
				b.WriteByte(':')
			}
		}
		b.WriteByte(' ')
	case e.Line > 0:
		b.WriteString("line ")
		b.WriteString(strconv.Itoa(e.Line))
		b.WriteByte(':')
		if e.Column > 0 {
			b.WriteString(strconv.Itoa(e.Column))
			b.WriteByte(':')
		}
		b.WriteByte(' ')
	}
	if e.Key != "" {
		b.WriteString(printable(shorten(e.Key)))
		b.WriteString(": ")
	}
	b.WriteString(printable(e.Msg))
	return b.String()
}

// Detail gives the line of Error and, when the text is known, the line of the file with a caret under the place:
//
//	agent.conf:7:18: basic.log.size: "10Q" is not a size: unknown unit "Q"
//	  7 | basic.log.size = 10Q
//	    |                  ^
func (e *Error) Detail() string {
	if e.Snippet == "" {
		return e.Error()
	}
	var b strings.Builder
	b.WriteString(e.Error())
	number := strconv.Itoa(e.Line)
	b.WriteString("\n  ")
	b.WriteString(number)
	b.WriteString(" | ")
	var caret strings.Builder
	n := 0
	for _, r := range e.Snippet {
		switch {
		case r == '\t':
			r = ' '
		case !isPrintable(r):
			r = utf8.RuneError
		}
		b.WriteRune(r)
		if n++; n <= e.caret {
			caret.WriteByte(' ')
			if isWide(r) {
				caret.WriteByte(' ')
			}
		}
	}
	b.WriteString("\n  ")
	b.WriteString(strings.Repeat(" ", len(number)))
	b.WriteString(" | ")
	b.WriteString(caret.String())
	b.WriteByte('^')
	return b.String()
}

// Unwrap gives the kind and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err != nil {
		return []error{e.Kind, e.Err}
	}
	return []error{e.Kind}
}

// Errors is every problem of an input, in the order of the input. It is never empty when it is returned as an error.
type Errors []*Error

// Error gives one line for each problem.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Detail gives each problem with its line and a caret, see Error.Detail.
func (es Errors) Detail() string {
	parts := make([]string, len(es))
	for i, e := range es {
		parts[i] = e.Detail()
	}
	return strings.Join(parts, "\n")
}

// Unwrap gives the single problems to errors.Is and errors.As.
func (es Errors) Unwrap() []error {
	list := make([]error, len(es))
	for i, e := range es {
		list[i] = e
	}
	return list
}

// maxProblems is how many problems of an input are kept. One more then says how many there were.
const maxProblems = 1000

// problems collects the problems of an input.
type problems struct {
	list Errors
	more int // beyond maxProblems
}

// full reports whether there is no room for another problem, which is then only counted.
func (p *problems) full() bool {
	if len(p.list) < maxProblems {
		return false
	}
	p.more++
	return true
}

func (p *problems) add(e *Error) { p.list = append(p.list, e) }

// all gives the problems, with what was only counted at the end.
func (p *problems) all() Errors {
	if p.more == 0 {
		return p.list
	}
	last := p.list[maxProblems-1]
	return append(p.list, &Error{File: last.File, Kind: last.Kind, Msg: fmt.Sprintf("there are %d more problems", p.more)})
}

// Longest texts that an error repeats from the input.
const (
	maxQuoted  = 80  // bytes in a message
	maxSnippet = 120 // characters of a line
)

// quoted gives s for a message: in quotes, and cut when it is long.
func quoted(s string) string { return strconv.Quote(shorten(s)) }

// shorten cuts s at a character when it is too long for a message.
func shorten(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	cut := maxQuoted
	for cut > maxQuoted-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// isPrintable reports whether a terminal can show r as one character. The blanks that are common in Chinese text are.
func isPrintable(r rune) bool { return strconv.IsPrint(r) || r == '\u3000' || r == '\u00a0' }

// printable gives s as it is when a terminal can show it, and else with escapes.
func printable(s string) string {
	for _, r := range s {
		if r == utf8.RuneError || !isPrintable(r) {
			q := strconv.Quote(s)
			return q[1 : len(q)-1]
		}
	}
	return s
}

// isWide reports whether a terminal gives r two columns: East Asian wide and full-width characters.
func isWide(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r <= 0x115f, r >= 0x2e80 && r <= 0x303e, r >= 0x3041 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f900 && r <= 0x1f9ff, r >= 0x20000 && r <= 0x3fffd:
		return true
	}
	return false
}
