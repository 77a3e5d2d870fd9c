package kvconf

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// A blank is any white space of Unicode, as what agents of the field trim: the full-width space that an input method leaves
// behind is as invisible as the ASCII one.

// trimLeft cuts the blanks off the start of s.
func trimLeft(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c > ' ' && c < utf8.RuneSelf {
			return s[i:]
		} else if c >= utf8.RuneSelf {
			return strings.TrimLeftFunc(s[i:], unicode.IsSpace)
		} else if !isBlank(c) {
			return s[i:]
		}
	}
	return ""
}

// trimRight cuts the blanks off the end of s.
func trimRight(s string) string {
	for i := len(s); i > 0; i-- {
		if c := s[i-1]; c > ' ' && c < utf8.RuneSelf {
			return s[:i]
		} else if c >= utf8.RuneSelf {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace)
		} else if !isBlank(c) {
			return s[:i]
		}
	}
	return ""
}

func trim(s string) string { return trimRight(trimLeft(s)) }

// isBlank reports whether the ASCII character c is white space.
func isBlank(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// endsInBlank reports whether the last character of s is white space.
func endsInBlank(s string) bool {
	if s == "" {
		return false
	}
	if c := s[len(s)-1]; c < utf8.RuneSelf {
		return isBlank(c)
	}
	r, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsSpace(r)
}

// commentStart gives the place of the "#" in s that starts a comment: the first one after a blank; -1 without one. A "#"
// that is the first character of s counts when afterBlank is true.
func commentStart(s string, afterBlank bool) int {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '#')
		if i < 0 {
			return -1
		}
		i += from
		if i == 0 && afterBlank || endsInBlank(s[:i]) {
			return i
		}
		from = i + 1
	}
}

// firstBad gives the place of the first byte of s that is not UTF-8 or is a control character other than the tab; -1
// without one.
func firstBad(s string) int {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return firstBadRune(s, i)
		}
		if c < ' ' && c != '\t' || c == 0x7f {
			return i
		}
	}
	return -1
}

func firstBadRune(s string, from int) int {
	for i, r := range s[from:] {
		if r < ' ' && r != '\t' || r == 0x7f {
			return from + i
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[from+i:]); size == 1 {
				return from + i
			}
		}
	}
	return -1
}

// isPlain reports whether s has nothing but ASCII characters and line feeds: then no value in it is bad. It looks at eight
// bytes at a time, and so costs less than looking at each value.
func isPlain(s string) bool {
	const (
		high  = 0x8080808080808080
		low   = 0x7f7f7f7f7f7f7f7f
		feeds = 0x0a0a0a0a0a0a0a0a
	)
	for len(s) >= 8 {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// In each byte, the high bit is set by adding 0x60 for a byte from 0x20 on, 1 for DEL, and 0x7f for what is no feed.
		notControl, isDEL, notFeed := x&low+0x6060606060606060, x&low+0x0101010101010101, (x^feeds)&low+low
		if (x|isDEL|^notControl&notFeed)&high != 0 {
			return false
		}
		s = s[8:]
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\n' || c >= 0x7f {
			return false
		}
	}
	return true
}
