package wire

import (
	"strconv"
	"unicode/utf8"
)

// An encoder appends JSON to a buffer. It counts what a decoder of the same frame will take from its budget, so that
// nothing is sent that would be refused.
type encoder struct {
	b     []byte
	depth int   // of objects and arrays that are open, the frame itself counted
	cost  int64 // bytes
	err   *Error
}

// fail notes the error and returns false.
func (e *encoder) fail(err error, detail string) bool {
	e.err = &Error{Type: unknownType, Offset: -1, Err: err, Detail: detail}
	return false
}

// enter begins an object or an array, leave ends it.
func (e *encoder) enter(opening byte) bool {
	if e.depth >= maxDepth {
		return e.fail(ErrDepth, "")
	}
	e.depth++
	e.b = append(e.b, opening)
	return true
}

func (e *encoder) leave(closing byte) {
	e.depth--
	e.b = append(e.b, closing)
}

// null appends null.
func (e *encoder) null() bool {
	e.b = append(e.b, "null"...)
	return true
}

// limited checks that a string is at most most bytes long once what is not UTF-8 has become U+FFFD.
func (e *encoder) limited(s string, most int) bool {
	if !utf8.ValidString(s) {
		n := 0
		for _, r := range s {
			n += utf8.RuneLen(r)
		}
		if n <= most {
			return true
		}
	} else if len(s) <= most {
		return true
	}
	return e.fail(ErrLength, "at most "+strconv.Itoa(most)+" bytes are due")
}

// checked checks JSON that a method of an author's own type made, from start to the end of the buffer.
func (e *encoder) checked(start int) bool {
	s := scanner{data: e.b[start:]}
	if s.text(e.depth) {
		return true
	}
	e.err, s.err.Offset = s.err, -1
	return false
}
