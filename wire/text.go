package wire

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// plain returns how many bytes at the start of b stand for themselves in a JSON string: printable ASCII, but for the
// quote and the backslash. It is where a frame of command output or of a file spends its time, so it looks at eight
// bytes at once, and at far more in what is long.
func plain(b []byte) int {
	const short, window = 64, 1024
	n := 0
	for n+8 <= len(b) && n < short {
		if m := special(binary.LittleEndian.Uint64(b[n:])); m != 0 {
			return n + bits.TrailingZeros64(m)>>3
		}
		n += 8
	}
	if n == short {
		for len(b)-n >= window && allPlain(b[n:n+window]) {
			n += window
		}
	}
	for n+8 <= len(b) {
		if m := special(binary.LittleEndian.Uint64(b[n:])); m != 0 {
			return n + bits.TrailingZeros64(m)>>3
		}
		n += 8
	}
	for n < len(b) && b[n] >= ' ' && b[n] < utf8.RuneSelf && b[n] != '"' && b[n] != '\\' {
		n++
	}
	return n
}

const ones = 0x0101010101010101 // one in each of eight bytes

// special marks, with its highest bit, the lowest byte of x that is a control character, a quote, a backslash or not
// ASCII. Marks above that one may be wrong.
func special(x uint64) uint64 {
	return (x | (x - ' '*ones) | (x ^ '"'*ones - ones) | (x ^ '\\'*ones - ones)) & (0x80 * ones)
}

// allPlain reports whether plain would go through all of b, whose length is a multiple of 32. It leaves the quote and
// the backslash to the assembly of IndexByte.
func allPlain(b []byte) bool {
	if bytes.IndexByte(b, '"') >= 0 || bytes.IndexByte(b, '\\') >= 0 {
		return false
	}
	var m uint64
	for ; len(b) >= 32; b = b[32:] {
		w, x := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		y, z := binary.LittleEndian.Uint64(b[16:]), binary.LittleEndian.Uint64(b[24:])
		m |= w | (w - ' '*ones) | x | (x - ' '*ones) | y | (y - ' '*ones) | z | (z - ' '*ones)
	}
	return m&(0x80*ones) == 0
}

// appendUnescaped appends what the inside of a valid JSON string stands for. Half of a surrogate pair becomes U+FFFD.
func appendUnescaped(b, s []byte) []byte {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return append(b, s...)
		}
		b = append(b, s[:i]...)
		c := s[i+1]
		s = s[i+2:]
		switch c {
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r := hex4(s)
			s = s[min(4, len(s)):]
			if utf16.IsSurrogate(r) {
				r2 := rune(utf8.RuneError)
				if len(s) >= 6 && s[0] == '\\' && s[1] == 'u' {
					r2 = utf16.DecodeRune(r, hex4(s[2:]))
				}
				if r = r2; r != utf8.RuneError {
					s = s[6:]
				}
			}
			b = utf8.AppendRune(b, r)
		default:
			b = append(b, c)
		}
	}
}

// hex4 returns the number of four hexadecimal digits.
func hex4(s []byte) rune {
	var r rune
	for i := 0; i < 4 && i < len(s); i++ {
		c := s[i]
		if c > '9' {
			c = c&0xf + 9
		}
		r = r<<4 | rune(c&0xf)
	}
	return r
}

// appendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := len(b)
	b = append(b, s...)
	if n := plain(b[start:]); n < len(s) {
		b = appendEscaped(b[:start+n], s[n:])
	}
	return append(b, '"')
}

// appendEscaped appends the inside of a JSON string.
func appendEscaped(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(b, s[start:i]...)
				b = utf8.AppendRune(b, r)
				start = i + 1
			}
			i += n
			continue
		}
		i++
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i-1]...)
		start = i
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(b, s[start:]...)
}
