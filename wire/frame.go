package wire

import (
	"bytes"
	"math"
	"unicode/utf8"
)

// MaxTask is how many bytes the id of a task, tid, may have.
const MaxTask = 256

// Frame is one parsed frame. It refers to the data that was parsed, and is good until that changes: until the next
// read, for a buffer that is reused. Type, Task and Error are copies, and so is all that Decode returns.
type Frame struct {
	Type  Type
	Task  string // tid: the task that the frame belongs to, "" for none
	Error string // errmsg

	data []byte
}

// Clone returns a copy of the frame that refers to no data but its own.
func (f *Frame) Clone() *Frame {
	c := *f
	c.data = bytes.Clone(f.data)
	return &c
}

// Bytes returns the frame as it was read, which must not be changed.
func (f *Frame) Bytes() []byte { return f.data }

// Parse checks the whole frame and splits it into its envelope. A frame is one JSON object (RFC 8259) in UTF-8, with
// no name twice in an object, nested no deeper than 64, with a type from 0 to 2147483647, and with a tid no longer than
// MaxTask. Names are told apart by case. Members that are not known, and null for tid and errmsg, are no errors.
//
// An error is an [*Error]. It matches [ErrUTF8] whenever data is not UTF-8, whatever else is wrong.
func Parse(data []byte) (*Frame, error) {
	f := new(Frame) // this function is small enough to be inlined, and then allocates nothing if the frame goes nowhere
	if err := f.parse(data); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Frame) parse(data []byte) error {
	f.Type, f.data = unknownType, data
	s := scanner{data: f.data}
	if !s.frame(f) {
		if at := invalidUTF8(f.data); at >= 0 && s.err.Err != ErrUTF8 {
			s.fail(at, ErrUTF8, "")
		}
		s.err.Type, s.err.Name = f.Type, f.Type.Name()
		return s.err
	}
	return nil
}

// frame checks all of the data and fills f.
func (s *scanner) frame(f *Frame) bool {
	if len(s.data) > maxFrame {
		s.fail(maxFrame, ErrLength, "")
		return false
	}
	i := s.space(0)
	if i >= len(s.data) || s.data[i] != '{' {
		if s.value(i, 0) >= 0 {
			s.fail(i, ErrKind, "a frame is an object")
		}
		return false
	}
	if i = s.object(i, 0, f); i < 0 || !s.end(i) {
		return false
	}
	if f.Type == unknownType {
		s.fail(0, ErrNoType, "")
		return false
	}
	return true
}

// take notes one member of the frame, whose value is valid JSON.
func (f *Frame) take(s *scanner, name []byte, at int) bool {
	d := decoder{data: s.data}
	switch string(name) {
	case "type":
		f.Type = d.frameType(at)
	case "tid":
		f.Task = d.frameText(at, MaxTask)
	case "errmsg":
		f.Error = d.frameText(at, maxFrame)
	}
	s.err = d.err
	return d.err == nil
}

// frameType decodes the number of a message.
func (d *decoder) frameType(i int) Type {
	if d.at(i) == 'n' {
		d.fail(i, ErrNoType, "null")
		return unknownType
	}
	n, negative, next := d.integer(i)
	if next < 0 {
		return unknownType
	}
	if n > math.MaxInt32 || negative && n > 0 {
		d.fail(i, ErrRange, "a type is from 0 to 2147483647")
		return unknownType
	}
	return Type(n)
}

// frameText decodes a string of the envelope that is at most most bytes long, or null.
func (d *decoder) frameText(i, most int) string {
	if d.at(i) == 'n' {
		return ""
	}
	s, _ := d.text(i, most)
	return s
}

// find returns where the value of a member of the frame is, 0 if there is none.
func (f *Frame) find(field string) int {
	d := decoder{data: f.data}
	i := d.space(0)
	if d.at(i) != '{' {
		return 0
	}
	i, more := d.enter(i, '}')
	for more {
		name, escaped, at := d.name(i)
		if at < 0 || isName(field, name, escaped) {
			return max(at, 0)
		}
		i, more = d.next(d.skip(at), '}')
	}
	return 0
}

// isName reports whether a name in the text is the one that is looked for.
func isName(want string, name []byte, escaped bool) bool {
	if escaped {
		name = appendUnescaped(nil, name)
	}
	return string(name) == want
}

// Raw returns the JSON of a member of the frame, and false if the frame has none of that name. It is a part of the data
// that was parsed, not a copy.
func (f *Frame) Raw(field string) ([]byte, bool) {
	at := f.find(field)
	if at == 0 {
		return nil, false
	}
	d := decoder{data: f.data}
	end := d.skip(at)
	if end < 0 {
		return nil, false
	}
	return f.data[at:end:end], true
}

// invalidUTF8 returns where data stops being UTF-8, -1 if it does not.
func invalidUTF8(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	i := 0
	for i < len(data) {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}
