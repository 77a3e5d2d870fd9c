package wire

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// maxDepth is how deep objects and arrays may be nested, the frame itself counted. The protocol needs 6.
const maxDepth = 64

// maxFrame is the longest frame: positions in it fit 31 bits.
const maxFrame = math.MaxInt32

// A scanner checks, in one pass, that bytes are JSON of the strict kind: RFC 8259 and UTF-8, no name twice in an
// object, no deeper than maxDepth. Its methods take the position of what they check and return the position behind
// it, or -1 with err set.
type scanner struct {
	data  []byte
	names nameSet
	err   *Error
}

// fail notes the error and returns -1.
func (s *scanner) fail(at int, err error, detail string) int {
	s.err = &Error{Type: unknownType, Offset: at, Err: err, Detail: detail}
	return -1
}

// unexpected is the error of a byte that cannot stand where it stands.
func (s *scanner) unexpected(at int, due string) int {
	if at >= len(s.data) {
		return s.fail(at, ErrSyntax, "the text ends where "+due+" is due")
	}
	return s.fail(at, ErrSyntax, strconv.QuoteRune(rune(s.data[at]))+" where "+due+" is due")
}

// space skips white space.
func (s *scanner) space(i int) int {
	for i < len(s.data) && s.data[i] <= ' ' {
		switch s.data[i] {
		case ' ', '\t', '\r', '\n':
			i++
		default:
			return i
		}
	}
	return i
}

// text checks one value that stands alone, with white space around it.
func (s *scanner) text(depth int) bool {
	i := s.value(s.space(0), depth)
	return i >= 0 && s.end(i)
}

// end checks that nothing but white space follows.
func (s *scanner) end(i int) bool {
	if i = s.space(i); i < len(s.data) {
		s.unexpected(i, "the end")
		return false
	}
	return true
}

// value checks the value at i; depth is the number of objects and arrays around it.
func (s *scanner) value(i, depth int) int {
	if i >= len(s.data) {
		return s.unexpected(i, "a value")
	}
	switch c := s.data[i]; {
	case c == '"':
		end, _ := s.str(i)
		return end
	case c == '{':
		return s.object(i, depth, nil)
	case c == '[':
		return s.array(i, depth)
	case c == '-' || '0' <= c && c <= '9':
		return s.number(i)
	case c == 't':
		return s.literal(i, "true")
	case c == 'f':
		return s.literal(i, "false")
	case c == 'n':
		return s.literal(i, "null")
	}
	return s.unexpected(i, "a value")
}

func (s *scanner) literal(i int, word string) int {
	for j := range len(word) {
		if i+j >= len(s.data) || s.data[i+j] != word[j] {
			return s.unexpected(i+j, word)
		}
	}
	return i + len(word)
}

func (s *scanner) array(i, depth int) int {
	if depth >= maxDepth {
		return s.fail(i, ErrDepth, "")
	}
	i = s.space(i + 1)
	if i < len(s.data) && s.data[i] == ']' {
		return i + 1
	}
	for n := 0; ; n++ {
		if i = s.value(i, depth+1); i < 0 {
			s.err.inElement(n)
			return -1
		}
		i = s.space(i)
		switch {
		case i < len(s.data) && s.data[i] == ',':
			i = s.space(i + 1)
		case i < len(s.data) && s.data[i] == ']':
			return i + 1
		default:
			return s.unexpected(i, "a comma or ]")
		}
	}
}

// object checks the object at i. When it is a frame, f takes note of each member.
func (s *scanner) object(i, depth int, f *Frame) int {
	if depth >= maxDepth {
		return s.fail(i, ErrDepth, "")
	}
	start, open := i, s.names.open()
	i = s.space(i + 1)
	if i < len(s.data) && s.data[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(s.data) || s.data[i] != '"' {
			return s.unexpected(i, "a name")
		}
		at := i
		end, escaped := s.str(at)
		if end < 0 {
			return -1
		}
		n := s.names.name(s.data, at+1, end-1, escaped)
		if !s.names.add(s.data, open, n) {
			s.fail(at, ErrDuplicate, "")
			s.err.inField(string(s.names.bytes(s.data, n)))
			return -1
		}
		if i = s.space(end); i >= len(s.data) || s.data[i] != ':' {
			return s.unexpected(i, "a colon")
		}
		from := s.space(i + 1)
		i = s.value(from, depth+1)
		if i >= 0 && f != nil && !f.take(s, s.names.bytes(s.data, n), from) {
			i = -1
		}
		if i < 0 {
			s.err.inField(string(s.names.bytes(s.data, n)))
			return -1
		}
		i = s.space(i)
		switch {
		case i < len(s.data) && s.data[i] == ',':
			i = s.space(i + 1)
		case i < len(s.data) && s.data[i] == '}':
			if n, ok := s.names.close(s.data, open); !ok {
				s.fail(start, ErrDuplicate, "")
				s.err.inField(string(s.names.bytes(s.data, n)))
				return -1
			}
			return i + 1
		default:
			return s.unexpected(i, "a comma or }")
		}
	}
}

// number checks the number at i.
func (s *scanner) number(i int) int {
	if s.data[i] == '-' {
		i++
	}
	if i < len(s.data) && s.data[i] == '0' {
		i++
	} else if i = s.digits(i); i < 0 {
		return -1
	}
	if i < len(s.data) && s.data[i] == '.' {
		if i = s.digits(i + 1); i < 0 {
			return -1
		}
	}
	if i < len(s.data) && s.data[i]|0x20 == 'e' {
		i++
		if i < len(s.data) && (s.data[i] == '+' || s.data[i] == '-') {
			i++
		}
		return s.digits(i)
	}
	return i
}

// digits checks one digit or more at i.
func (s *scanner) digits(i int) int {
	start := i
	for i < len(s.data) && '0' <= s.data[i] && s.data[i] <= '9' {
		i++
	}
	if i == start {
		return s.unexpected(i, "a digit")
	}
	return i
}

// str checks the string whose opening quote is at i. It also says whether there is a backslash in it.
func (s *scanner) str(i int) (end int, escaped bool) {
	start, ascii := i+1, true
	for i = start; ; {
		i += plain(s.data[i:])
		if i >= len(s.data) {
			return s.unexpected(i, "a closing quote"), false
		}
		switch c := s.data[i]; {
		case c == '"':
			if !ascii {
				if bad := invalidUTF8(s.data[start:i]); bad >= 0 {
					return s.fail(start+bad, ErrUTF8, ""), false
				}
			}
			return i + 1, escaped
		case c >= utf8.RuneSelf:
			ascii = false
			for i++; i < len(s.data) && s.data[i] >= utf8.RuneSelf; i++ {
			}
		case c == '\\':
			escaped = true
			if i = s.escape(i + 1); i < 0 {
				return -1, false
			}
		default:
			return s.fail(i, ErrSyntax, "a control character in a string"), false
		}
	}
}

// escape checks what follows a backslash.
func (s *scanner) escape(i int) int {
	if i >= len(s.data) {
		return s.unexpected(i, "an escape")
	}
	switch s.data[i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		for end := i + 4; i < end; {
			if i++; i >= len(s.data) || !isHex(s.data[i]) {
				return s.unexpected(i, "a hexadecimal digit")
			}
		}
		return i + 1
	}
	return s.unexpected(i, "an escape")
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
