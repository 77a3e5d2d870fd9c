package wire

import (
	"bytes"
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

// space skips white space, which most peers do not write.
func (d *decoder) space(i int) int {
	for d.at(i) <= ' ' && isSpace(d.at(i)) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

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
	return name, escaped, d.colon(i)
}

// colon goes from behind the name of a member to its value. It returns -1 if i is.
func (d *decoder) colon(i int) int {
	if i < 0 {
		return -1
	}
	if i = d.space(i); d.at(i) != ':' {
		return d.changed(i)
	}
	return d.space(i + 1)
}

// str returns the inside of the string whose opening quote is at i as it is written, and whether there is a backslash
// in it.
func (d *decoder) str(i int) (s []byte, escaped bool, next int) {
	const short = 32 // what is longer is searched faster
	start := i + 1
	if end := start + plain(d.data[start:min(start+short, len(d.data))]); d.at(end) == '"' {
		return d.data[start:end], false, end + 1
	}
	if next = d.skipString(i); next < 0 {
		return nil, false, -1
	}
	s = d.data[start : next-1]
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

// count returns how many members or elements there are from the one at i on, -1 if err is set.
func (d *decoder) count(i int, closing byte) int {
	for n, more := 0, true; ; n++ {
		if !more {
			return n
		}
		if closing == '}' {
			if _, _, i = d.name(i); i < 0 {
				return -1
			}
		}
		if i, more = d.next(d.skip(i), closing); i < 0 {
			return -1
		}
	}
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
	for ; i < len(d.data); i++ {
		digit := d.data[i] - '0'
		if digit > 9 {
			break
		}
		n = n*10 + uint64(digit)
	}
	if i == first {
		return 0, false, d.wrongKind(start, "an integer")
	}
	if c := d.at(i); c == '.' || c|0x20 == 'e' {
		return 0, false, d.fail(start, ErrKind, "a fraction or an exponent where an integer is due")
	}
	if i-first >= 20 { // n may have overflowed
		var err error
		if n, err = strconv.ParseUint(string(d.data[first:i]), 10, 64); err != nil {
			return 0, false, d.fail(start, ErrRange, "")
		}
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

// float decodes the number at i.
func (d *decoder) float(i, bits int) (float64, int) {
	if x, next := d.decimal(i); next >= 0 && bits == 64 {
		return x, next
	}
	s, next := d.number(i)
	if next < 0 {
		return 0, -1
	}
	x, err := strconv.ParseFloat(string(s), bits)
	if err != nil {
		return 0, d.fail(i, ErrRange, "")
	}
	return x, next
}

// powers are the powers of ten by which decimal divides; all of them have an exact float64.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// decimal decodes a number of at most 15 digits without an exponent, and returns -1 for all else. Its digits and the power
// of ten are exact, so their quotient is rounded once, as it must be.
func (d *decoder) decimal(i int) (float64, int) {
	negative := d.at(i) == '-'
	if negative {
		i++
	}
	first, point := i, -1
	var n uint64
	for ; i < len(d.data); i++ {
		if digit := d.data[i] - '0'; digit <= 9 {
			n = n*10 + uint64(digit)
		} else if d.data[i] == '.' && point < 0 {
			point = i
		} else {
			break
		}
	}
	digits, decimals := i-first, 0
	if point >= 0 {
		digits--
		decimals = i - point - 1
	}
	if digits == 0 || digits > 15 || d.at(i)|0x20 == 'e' {
		return 0, -1
	}
	x := float64(n) / powers[decimals]
	if negative {
		x = -x
	}
	return x, i
}
