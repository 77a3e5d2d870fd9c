package logging

import (
	"encoding/binary"
	"slices"
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

// What a character of ASCII can be without a quote or an escape.
const (
	inValue   = 1 << iota // part of a bare key or value of a text line
	inMessage             // part of a bare message of a text line
	inQuotes              // itself, between the quotes of text and of JSON
)

// class tells of every byte what it can be; those beyond ASCII need a look at the whole character.
var class = [256]uint8{
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	6, 7, 0, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 4, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 3, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 0,
}

// eight is the eight bytes of s from i on, which the compiler loads at once.
func eight(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// four is the same for four bytes.
func four(s string, i int) uint64 {
	s = s[i : i+4]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// ones times a byte is that byte eight times.
const ones = 0x0101010101010101

// bounds returns what plain has to know of what is asked for, as class has it: the lowest byte that is allowed, and the one
// that is not beside '"' and DEL.
func bounds(as uint8) (low, other uint64) {
	switch as {
	case inValue:
		return ones * '!', ones * '='
	case inMessage:
		return ones * ' ', ones * '='
	}
	return ones * ' ', ones * '\\'
}

// plain tells whether eight bytes at once are ASCII that is allowed. A byte minus the lowest one that is allowed, or minus one
// after an exclusive or with a forbidden one, has its highest bit set if it is not allowed; so has one beyond ASCII. A
// borrow comes only from a byte that is not allowed.
func plain(w, low, other uint64) bool {
	const high = ones * 0x80
	return (w|(w-low)|((w^ones*'"')-ones)|((w^other)-ones)|((w^ones*0x7f)-ones))&high == 0
}

// appendBareMessage appends s and returns true if s can be the message of a text line without quotes: no reader takes a part
// of it for an attribute.
func appendBareMessage(b []byte, s string) ([]byte, bool) {
	if s == "" || s[0] == ' ' || s[len(s)-1] == ' ' {
		return b, false
	}
	return appendBare(b, s, inMessage)
}

// appendBare appends s and returns true if s has characters, and only those that can be what is asked for, or are printable
// beyond ASCII. Otherwise b stays what it is. What was looked at is written at once, so that nothing is read twice. Where a
// length is no multiple of what is looked at, the last look overlaps the one before it: a loop over the rest would take as
// long as all the others.
func appendBare(b []byte, s string, as uint8) ([]byte, bool) {
	low, other := bounds(as)
	n, start := len(s), len(b)
	if cap(b)-start < n {
		b = slices.Grow(b, n)
	}
	to := b[start : start+n]
	switch {
	case n >= 8:
		for i := 0; i < n; i += 8 {
			i = min(i, n-8)
			w := eight(s, i)
			if !plain(w, low, other) {
				return appendBareSlowly(b, s, as)
			}
			binary.LittleEndian.PutUint64(to[i:], w)
		}
	case n >= 4:
		first, last := four(s, 0), four(s, n-4)
		if !plain(first|last<<32, low, other) {
			return appendBareSlowly(b, s, as)
		}
		binary.LittleEndian.PutUint32(to, uint32(first))
		binary.LittleEndian.PutUint32(to[n-4:], uint32(last))
	case n > 0:
		first, mid, last := s[0], s[n/2], s[n-1]
		if !plain(uint64(first)|uint64(mid)<<8|uint64(last)<<16|ones&^0xffffff*'x', low, other) {
			return appendBareSlowly(b, s, as)
		}
		to[0], to[n/2], to[n-1] = first, mid, last
	default:
		return b, false
	}
	return b[:start+n], true
}

// appendBareSlowly is appendBare for what has more than ASCII.
func appendBareSlowly(b []byte, s string, as uint8) ([]byte, bool) {
	for i := 0; i < len(s); {
		n := 1
		if s[i] >= utf8.RuneSelf {
			n = printableAt(s, i)
		} else if class[s[i]]&as == 0 {
			n = 0
		}
		if n == 0 {
			return b, false
		}
		i += n
	}
	return append(b, s...), true
}

// printableAt is the length of the rune at i, beyond ASCII, or 0 when it is not printable or not UTF-8.
func printableAt(s string, i int) int {
	r, n := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && n == 1 || !printable(r) {
		return 0
	}
	return n
}

// verbatim is the length of the beginning of s that needs no escape between quotes, in text and in JSON.
func verbatim(s string) int {
	low, other := bounds(inQuotes)
	i := 0
	for ; i+8 <= len(s) && plain(eight(s, i), low, other); i += 8 {
	}
	for ; i < len(s); i++ {
		if class[s[i]]&inQuotes != 0 {
			continue
		}
		if s[i] < utf8.RuneSelf {
			return i
		}
		n := printableAt(s, i)
		if n == 0 {
			return i
		}
		i += n - 1
	}
	return len(s)
}

// appendQuoted appends s as a Go string literal; strconv.Unquote gives back every byte of it.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for {
		n := verbatim(s)
		b = append(b, s[:n]...)
		if n == len(s) {
			return append(b, '"')
		}
		var escaped int
		b, escaped = appendEscape(b, s[n:])
		s = s[n+escaped:]
	}
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
