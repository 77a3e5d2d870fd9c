package wire

import (
	"bytes"
	"math"
	"strconv"
)

// perByte and perFrame are the budget of a decoder: how many bytes of memory it may take for one byte of the frame, and
// for the frame whatever its length. A frame of empty objects that are due to become large structs is refused by it.
const (
	perByte  = 16
	perFrame = 32 << 10
)

func budget(length int) int64 { return perByte*int64(length) + perFrame }

// A decoder turns valid JSON into Go values. Its methods take the position of a value and return the position behind
// it, or -1 with err set. They trust the scanner for the syntax, but stay within the data whatever it holds, because a
// caller may have changed it since.
type decoder struct {
	data    []byte
	left    int64  // of the budget, in bytes
	scratch []byte // for what is written with escapes
	err     *Error
}

func (d *decoder) fail(i int, err error, detail string) int {
	d.err = &Error{Type: unknownType, Offset: i, Err: err, Detail: detail}
	return -1
}

// changed is the error of data that is not what was parsed.
func (d *decoder) changed(i int) int { return d.fail(i, ErrSyntax, "the data changed after Parse") }

// wrongKind is the error of a value that is not of the kind that is due.
func (d *decoder) wrongKind(i int, due string) int {
	found := "a number"
	switch d.at(i) {
	case 0:
		return d.changed(i)
	case '{':
		found = "an object"
	case '[':
		found = "an array"
	case '"':
		found = "a string"
	case 't', 'f':
		found = "a boolean"
	case 'n':
		found = "null"
	}
	return d.fail(i, ErrKind, found+" where "+due+" is due")
}

// spend takes n bytes from the budget.
func (d *decoder) spend(i int, n int64) bool {
	if d.left -= n; d.left < 0 {
		d.fail(i, ErrMemory, "")
		return false
	}
	return true
}

// at returns the byte at i, 0 behind the end.
func (d *decoder) at(i int) byte {
	if uint(i) < uint(len(d.data)) {
		return d.data[i]
	}
	return 0
}

func (d *decoder) space(i int) int {
	for {
		switch d.at(i) {
		case ' ', '\t', '\r', '\n':
			i++
		default:
			return i
		}
	}
}

// null reports whether the value at i is null.
func (d *decoder) null(i int) bool { return d.at(i) == 'n' }

const lenNull = len("null")

// enter goes into the object or the array at i. It returns the position of the first name or element and true, or the
// position behind an empty one and false.
func (d *decoder) enter(i int, closing byte) (int, bool) {
	i = d.space(i + 1)
	if d.at(i) == closing {
		return i + 1, false
	}
	return i, true
}

// next goes on behind a member or an element. It returns what enter does, and -1 and false if i is -1.
func (d *decoder) next(i int, closing byte) (int, bool) {
	if i < 0 {
		return -1, false
	}
	i = d.space(i)
	switch d.at(i) {
	case ',':
		return d.space(i + 1), true
	case closing:
		return i + 1, false
	}
	return d.changed(i), false
}

// name returns the name of the member at i as it is written, whether there is a backslash in it, and the position of
// the value.
func (d *decoder) name(i int) (name []byte, escaped bool, at int) {
	if d.at(i) != '"' {
		return nil, false, d.changed(i)
	}
	name, escaped, i = d.str(i)
	if i < 0 {
		return nil, false, -1
	}
	if i = d.space(i); d.at(i) != ':' {
		return nil, false, d.changed(i)
	}
	return name, escaped, d.space(i + 1)
}

// str returns the inside of the string at i as it is written, and whether there is a backslash in it.
func (d *decoder) str(i int) (s []byte, escaped bool, next int) {
	next = d.skipString(i)
	if next < 0 {
		return nil, false, -1
	}
	s = d.data[i+1 : next-1]
	return s, bytes.IndexByte(s, '\\') >= 0, next
}

// skipString goes behind the string whose opening quote is at i.
func (d *decoder) skipString(i int) int {
	for j := i + 1; j < len(d.data); {
		n := bytes.IndexByte(d.data[j:], '"')
		if n < 0 {
			break
		}
		j += n + 1
		slashes := 0
		for k := j - 2; k > i && d.data[k] == '\\'; k-- {
			slashes++
		}
		if slashes%2 == 0 {
			return j
		}
	}
	return d.changed(i)
}

// skip goes behind the value at i.
func (d *decoder) skip(i int) int {
	for depth := 0; ; {
		switch d.at(i) {
		case 0:
			return d.changed(i)
		case '"':
			if i = d.skipString(i); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return d.changed(i)
			}
			i++
			continue
		default:
			for i++; !isDelimiter(d.at(i)); i++ {
			}
		}
		if depth <= 0 {
			return i
		}
	}
}

func isDelimiter(c byte) bool {
	switch c {
	case 0, ',', ':', '{', '}', '[', ']', '"', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// count returns how many elements the array at i has, or members the object.
func (d *decoder) count(i int, closing byte) int {
	n := 0
	i, more := d.enter(i, closing)
	for more {
		n++
		if closing == '}' {
			if _, _, i = d.name(i); i < 0 {
				return -1
			}
		}
		i, more = d.next(d.skip(i), closing)
	}
	if i < 0 {
		return -1
	}
	return n
}

// text decodes the string at i, which is at most most bytes long.
func (d *decoder) text(i, most int) (string, int) {
	if d.at(i) != '"' {
		return "", d.wrongKind(i, "a string")
	}
	s, escaped, next := d.str(i)
	if next < 0 {
		return "", -1
	}
	if escaped {
		d.scratch = appendUnescaped(d.scratch[:0], s)
		s = d.scratch
	}
	if len(s) > most {
		return "", d.tooLong(i, most)
	}
	return string(s), next
}

func (d *decoder) tooLong(i, most int) int {
	return d.fail(i, ErrLength, "at most "+strconv.Itoa(most)+" bytes are due")
}

// integer decodes the whole number at i.
func (d *decoder) integer(i int) (n uint64, negative bool, next int) {
	start := i
	if d.at(i) == '-' {
		negative = true
		i++
	}
	first := i
	for c := d.at(i); '0' <= c && c <= '9'; c = d.at(i) {
		digit := uint64(c - '0')
		if n > (math.MaxUint64-digit)/10 {
			return 0, false, d.fail(start, ErrRange, "")
		}
		n = n*10 + digit
		i++
	}
	if i == first {
		return 0, false, d.wrongKind(start, "an integer")
	}
	switch d.at(i) {
	case '.', 'e', 'E':
		return 0, false, d.fail(start, ErrKind, "a fraction or an exponent where an integer is due")
	}
	return n, negative, i
}

// number returns the text of the number at i.
func (d *decoder) number(i int) (s []byte, next int) {
	start := i
	if c := d.at(i); c != '-' && (c < '0' || c > '9') {
		return nil, d.wrongKind(i, "a number")
	}
	for !isDelimiter(d.at(i)) {
		i++
	}
	return d.data[start:i], i
}
