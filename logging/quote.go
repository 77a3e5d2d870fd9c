package logging

import (
	"strconv"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// printable tells whether r can stand in a line as it is: nothing that a terminal obeys, that ends a line or that changes
// the direction of writing.
func printable(r rune) bool {
	if r >= 0x4e00 && r <= 0x9fff { // the common Chinese characters, by far the most frequent beyond ASCII
		return true
	}
	return strconv.IsPrint(r)
}

// bareMessage tells whether s can be the message of a text line without quotes: no reader takes a part of it for an
// attribute or for a quoted message.
func bareMessage(s string) bool {
	if s == "" || s[0] == ' ' || s[0] == '"' || s[len(s)-1] == ' ' {
		return false
	}
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == '=' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		n := printableAt(s, i)
		if n == 0 {
			return false
		}
		i += n
	}
	return true
}

// bareValue tells whether s can be a key or a value of a text line without quotes.
func bareValue(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c <= ' ' || c == '=' || c == '"' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		n := printableAt(s, i)
		if n == 0 {
			return false
		}
		i += n
	}
	return s != ""
}

// printableAt is the length of the rune at i, beyond ASCII, or 0 when it is not printable or not UTF-8.
func printableAt(s string, i int) int {
	r, n := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && n == 1 || !printable(r) {
		return 0
	}
	return n
}

// appendQuoted appends s as a Go string literal; strconv.Unquote gives back every byte of it.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		n := 1
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
		} else if n = printableAt(s, i); n > 0 {
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		b, n = appendEscape(b, s[i:])
		i += n
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendEscape appends the escape of the character that s begins with, and returns its length in s.
func appendEscape(b []byte, s string) ([]byte, int) {
	r, n := utf8.DecodeRuneInString(s)
	switch {
	case r == '"' || r == '\\':
		return append(b, '\\', byte(r)), n
	case r == '\n':
		return append(b, `\n`...), n
	case r == '\r':
		return append(b, `\r`...), n
	case r == '\t':
		return append(b, `\t`...), n
	case r < ' ' || r == 0x7f || r == utf8.RuneError && n == 1:
		return append(b, '\\', 'x', hexDigits[s[0]>>4], hexDigits[s[0]&15]), 1
	case r > 0xffff:
		b = append(b, `\U00`...)
		return appendHex(b, uint32(r), 6), n
	}
	b = append(b, `\u`...)
	return appendHex(b, uint32(r), 4), n
}

// appendHex appends the lowest digits of v.
func appendHex(b []byte, v uint32, digits int) []byte {
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}
