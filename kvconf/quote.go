package kvconf

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unescape undoes the escapes of a double-quoted value. When one is wrong, msg says why and at is its byte offset.
func unescape(s string) (text string, at int, msg string) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			b = append(b, c)
			i++
			continue
		}
		digits := 0
		switch c = s[i+1]; c { // the scanner has seen a character behind each backslash
		case '"', '\\':
			b = append(b, c)
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'x':
			digits = 2
		case 'u':
			digits = 4
		case 'U':
			digits = 8
		default:
			return "", i, fmt.Sprintf(`unknown escape \%s; a backslash in double quotes is written twice`, string(firstRune(s[i+1:])))
		}
		i += 2
		if digits == 0 {
			continue
		}
		n, err := parseHex(s[i:], digits)
		if err != "" {
			return "", i - 2, err
		}
		if digits == 2 {
			b = append(b, byte(n))
		} else if utf8.ValidRune(rune(n)) {
			b = utf8.AppendRune(b, rune(n))
		} else {
			return "", i - 2, fmt.Sprintf(`there is no character \%c%0*x`, c, digits, n)
		}
		i += digits
	}
	return string(b), 0, ""
}

// parseHex reads exactly digits hexadecimal digits from the start of s.
func parseHex(s string, digits int) (n uint32, msg string) {
	if len(s) >= digits {
		if n, err := strconv.ParseUint(s[:digits], 16, 32); err == nil && s[0] != '+' {
			return uint32(n), ""
		}
	}
	return 0, fmt.Sprintf("the escape wants %d hexadecimal digits", digits)
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// needsQuotes reports whether s, written as it is behind "= ", would be read as something else.
func needsQuotes[T string | []byte](s T) bool {
	if len(s) == 0 {
		return false
	}
	first, last := s[0], s[len(s)-1]
	if first == '#' || first == '"' || first == '\'' || first <= ' ' || last <= ' ' {
		return true
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			text := string(s)
			return firstBad(text) >= 0 || len(trim(text)) != len(text) || commentStart(text, false) >= 0
		case c < ' ' && c != '\t', c == 0x7f, c == '#' && isBlank(s[i-1]):
			return true
		}
	}
	return false
}

// appendQuoted writes s in double quotes. What a terminal would not show is escaped, so that no character of a value is
// invisible.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == utf8.RuneError && size == 1, r < ' ', r == 0x7f:
			dst = fmt.Appendf(dst, `\x%02x`, s[i])
		case r > 0xffff && !unicode.IsPrint(r):
			dst = fmt.Appendf(dst, `\U%08x`, r)
		case r != ' ' && !unicode.IsPrint(r):
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, s[i:i+size]...)
		}
		i += size
	}
	return append(dst, '"')
}

// appendText writes s as the value of a setting.
func appendText(dst []byte, s string) []byte {
	if needsQuotes(s) {
		return appendQuoted(dst, s)
	}
	return append(dst, s...)
}

// keyProblem says why key cannot stand before "=", or gives the empty string.
func keyProblem(key string) string {
	switch {
	case key == "":
		return "the key is empty"
	case firstBad(key) >= 0:
		return "the key has a control character or is not UTF-8"
	case len(trim(key)) != len(key):
		return "the key has a blank at its edge"
	case key[0] == '#' || key[0] == '"' || key[0] == '\'':
		return fmt.Sprintf("the key starts with %c", key[0])
	case strings.IndexByte(key, '=') >= 0:
		return `the key has a "="`
	case commentStart(key, false) >= 0:
		return `the key has a "#" behind a blank`
	case strings.HasPrefix(key, bom):
		return "the key starts with a byte order mark"
	}
	return ""
}
