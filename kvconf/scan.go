package kvconf

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A line is one line of a file, taken apart. The numbers are byte offsets into the file.
type line struct {
	start, end int // without the line end
	next       int // where the next line starts

	isSetting          bool // else it is blank, a comment, or has an error
	keyStart, keyEnd   int
	valStart, valEnd   int  // with the quotes
	quote              byte // the quote around the value, or 0
	hasEscape, comment bool // a backslash within double quotes; a comment behind the value
}

// A lineError is what is wrong with a line, at the byte offset at.
type lineError struct {
	kind error
	at   int
	msg  string
}

const bom = "\ufeff"

// skipBOM gives the offset of the first line.
func skipBOM(src string) int {
	if strings.HasPrefix(src, bom) {
		return len(bom)
	}
	return 0
}

// isUTF16 reports whether src starts with a byte order mark of UTF-16.
func isUTF16(src string) bool {
	return strings.HasPrefix(src, "\xff\xfe") || strings.HasPrefix(src, "\xfe\xff")
}

// utf16Error is the only error of a file that isUTF16.
func utf16Error() *Error {
	return &Error{Line: 1, Column: 1, Kind: ErrEncoding, Msg: "the file is UTF-16; save it as UTF-8"}
}

// scan takes the line apart that starts at pos, which is less than the length of src.
func (ln *line) scan(src string, pos int) *lineError {
	*ln = line{start: pos, end: len(src), next: len(src)}
	if i := strings.IndexByte(src[pos:], '\n'); i >= 0 {
		ln.end, ln.next = pos+i, pos+i+1
	}
	if ln.end > pos && src[ln.end-1] == '\r' {
		ln.end--
	}
	text := src[:ln.end]
	from := ln.end - len(trimLeft(text[pos:]))
	if from == ln.end || text[from] == '#' {
		return nil
	}
	eq := strings.IndexByte(text[from:], '=')
	if eq < 0 {
		return &lineError{ErrSyntax, from, missingEquals(text[from:])}
	}
	eq += from
	key := text[from:eq]
	if strings.IndexByte(key, '#') >= 0 && commentStart(key, false) >= 0 {
		return &lineError{ErrSyntax, from, `the "=" is behind the "#" of a comment`}
	}
	key = trimRight(key)
	if key == "" {
		return &lineError{ErrSyntax, from, `there is no key before "="`}
	}
	if key[0] == '"' || key[0] == '\'' {
		return &lineError{ErrSyntax, from, "a key does not stand in quotes"}
	}
	ln.keyStart, ln.keyEnd = from, from+len(key)
	ln.valStart = ln.end - len(trimLeft(text[eq+1:]))
	return ln.scanValue(text, ln.valStart > eq+1)
}

// rebase makes the offsets of the line relative to its start.
func (ln *line) rebase(start int) {
	ln.start, ln.end, ln.next = 0, ln.end-start, ln.next-start
	if ln.keyEnd > 0 {
		ln.keyStart, ln.keyEnd = ln.keyStart-start, ln.keyEnd-start
		ln.valStart, ln.valEnd = ln.valStart-start, ln.valEnd-start
	}
}

// scanValue finds the end of the value that starts at ln.valStart; text ends with the line.
func (ln *line) scanValue(text string, afterBlank bool) *lineError {
	ln.valEnd = len(text)
	ln.isSetting = true
	if ln.valStart == len(text) {
		return nil
	}
	value := text[ln.valStart:]
	if q := value[0]; q == '"' || q == '\'' {
		return ln.scanQuoted(text, q)
	}
	if i := commentStart(value, afterBlank); i >= 0 {
		ln.comment = true
		value = value[:i]
	}
	ln.valEnd = ln.valStart + len(trimRight(value))
	return nil
}

// scanQuoted finds the closing quote and checks that nothing but a comment follows.
func (ln *line) scanQuoted(text string, quote byte) *lineError {
	ln.isSetting = false
	ln.quote = quote
	i := ln.valStart + 1
	for ; ; i++ {
		if i >= len(text) {
			return &lineError{ErrSyntax, ln.valStart, fmt.Sprintf("the quote %c is not closed", quote)}
		}
		if text[i] == quote {
			break
		}
		if text[i] == '\\' && quote == '"' {
			ln.hasEscape = true
			i++
		}
	}
	ln.valEnd = i + 1
	rest := text[ln.valEnd:]
	if after := trimLeft(rest); after != "" {
		if after[0] != '#' || len(after) == len(rest) {
			return &lineError{ErrSyntax, len(text) - len(after), `only a blank and a "#" comment may follow the closing quote`}
		}
		ln.comment = true
	}
	ln.isSetting = true
	return nil
}

// missingEquals explains a line without "=".
func missingEquals(text string) string {
	const msg = `this line is not "key = value": it has no "="`
	switch {
	case text[0] == '[' && strings.HasSuffix(trimRight(text), "]"):
		return msg + "; there are no section headings, a section is part of the key: section.key = value"
	case text[0] == ';' || strings.HasPrefix(text, "//"):
		return msg + `; a comment starts with "#"`
	case strings.Contains(text, "＝"):
		return msg + ", only the full-width ＝"
	case strings.Contains(text, ":"):
		return msg + `; a value does not stand behind ":"`
	}
	return msg
}

// value gives the value of the scanned line: quotes off, escapes undone.
func (ln *line) value(src string) (string, *lineError) {
	raw := src[ln.valStart:ln.valEnd]
	if ln.quote == 0 {
		return raw, nil
	}
	raw = raw[1 : len(raw)-1]
	if !ln.hasEscape {
		return raw, nil
	}
	text, at, msg := unescape(raw)
	if msg != "" {
		return "", &lineError{ErrSyntax, ln.valStart + 1 + at, msg}
	}
	return text, nil
}

// badText finds a byte in the key or the value that no text has.
func (ln *line) badText(src string) *lineError {
	at := -1
	if i := firstBad(src[ln.keyStart:ln.keyEnd]); i >= 0 {
		at = ln.keyStart + i
	} else if i := firstBad(src[ln.valStart:ln.valEnd]); i >= 0 {
		at = ln.valStart + i
	}
	if at < 0 {
		return nil
	}
	switch c := src[at]; {
	case c == 0:
		return &lineError{ErrEncoding, at, "a NUL byte; save the file as UTF-8 text"}
	case c == '\r':
		return &lineError{ErrEncoding, at, "a carriage return within the line; lines end in LF or CRLF"}
	case c < utf8.RuneSelf:
		return &lineError{ErrEncoding, at, fmt.Sprintf("the control character 0x%02x; in double quotes it is written as \\x%02x", c, c)}
	default:
		return &lineError{ErrEncoding, at, fmt.Sprintf("the byte 0x%02x is not UTF-8; save the file as UTF-8 text", c)}
	}
}
