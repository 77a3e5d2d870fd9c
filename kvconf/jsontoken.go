package kvconf

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

func (r *jsonReader) fail(at int, format string, args ...any) error {
	return &valueError{kind: ErrValue, msg: fmt.Sprintf(format, args...), offset: at, path: string(r.path)}
}

// next skips blanks and gives the character that follows, or 0 at the end.
func (r *jsonReader) next() byte {
	for r.pos < len(r.text) {
		switch c := r.text[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// unexpected is the error for a character that cannot stand where the reader is.
func (r *jsonReader) unexpected(want string) error {
	if r.pos >= len(r.text) {
		return r.fail(len(r.text), "the JSON value ends too early: %s is missing", want)
	}
	return r.fail(r.pos, "in the JSON value, %s is expected, not %s", want, strconv.QuoteRune(firstRune(r.text[r.pos:])))
}

// word reads null, true or false.
func (r *jsonReader) word() (string, error) {
	for _, word := range [...]string{"null", "true", "false"} {
		if strings.HasPrefix(r.text[r.pos:], word) {
			r.pos += len(word)
			return word, nil
		}
	}
	return "", r.unexpected("a value")
}

// number reads a number of JSON's grammar and gives its text.
func (r *jsonReader) number() (string, error) {
	start := r.pos
	digits := func() bool {
		from := r.pos
		for r.pos < len(r.text) && r.text[r.pos] >= '0' && r.text[r.pos] <= '9' {
			r.pos++
		}
		return r.pos > from
	}
	take := func(set string) bool {
		if r.pos < len(r.text) && strings.IndexByte(set, r.text[r.pos]) >= 0 {
			r.pos++
			return true
		}
		return false
	}
	take("-")
	ok := take("0") || digits()
	if ok && take(".") {
		ok = digits()
	}
	if ok && take("eE") {
		take("+-")
		ok = digits()
	}
	if !ok {
		return "", r.unexpected("a digit")
	}
	return r.text[start:r.pos], nil
}

// string reads a string.
func (r *jsonReader) string() (string, error) {
	start := r.pos + 1
	for i := start; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.pos = i + 1
			return r.text[start:i], nil
		case c == '\\' || c < ' ':
			return r.escapedString(start, i)
		}
	}
	return "", r.fail(r.pos, "a string of the JSON value is not closed")
}

// escapedString reads on in a string that started at start, at the first character that needs a closer look.
func (r *jsonReader) escapedString(start, i int) (string, error) {
	b := []byte(r.text[start:i])
	for i < len(r.text) {
		c := r.text[i]
		switch {
		case c == '"':
			r.pos = i + 1
			return string(b), nil
		case c < ' ':
			return "", r.fail(i, "a control character within a string of the JSON value is written as \\u%04x", c)
		case c != '\\':
			b = append(b, c)
			i++
			continue
		}
		text, size := jsonEscape(r.text[i:])
		if size == 0 {
			return "", r.fail(i, "a wrong escape in a string of the JSON value")
		}
		b = utf8.AppendRune(b, text)
		i += size
	}
	return "", r.fail(start-1, "a string of the JSON value is not closed")
}

// jsonEscape gives the character of the escape at the start of s and the length of the escape, 0 when it is wrong.
func jsonEscape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	if s[1] != 'u' {
		return 0, 0
	}
	n, bad := parseHex(s[2:], 4)
	if bad != "" {
		return 0, 0
	}
	if !utf16.IsSurrogate(rune(n)) {
		return rune(n), 6
	}
	if len(s) < 12 || s[6] != '\\' || s[7] != 'u' {
		return 0, 0
	}
	low, bad := parseHex(s[8:], 4)
	r := utf16.DecodeRune(rune(n), rune(low))
	if bad != "" || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}
