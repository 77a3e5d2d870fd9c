package wire

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// fewNames is how many names of one object are compared one with another. What is more is sorted once, so that an
// object of a million names costs no million times a million comparisons.
const fewNames = 24

// A nameSet holds the names of the objects that are open, those of the innermost last, and finds one that comes twice.
type nameSet struct {
	few  [fewNames]name // enough for a common frame, so that nothing is allocated for it
	many []name         // takes the place of few when that is full
	n    int            // how many there are
	side []byte         // names that were written with escapes, without them
}

// A name refers to one name, in the text or in the side buffer. It is small because a hostile object is made of names.
type name struct {
	head   uint64 // its first eight bytes, the first one highest, so that most comparisons end here
	at     uint32
	length uint32 // with the bit inSide
}

const inSide = 1 << 31

// name returns the name that stands in data from from to to.
func (s *nameSet) name(data []byte, from, to int, escaped bool) name {
	n := name{at: uint32(from), length: uint32(to - from)}
	if escaped {
		at := len(s.side)
		s.side = appendUnescaped(s.side, data[from:to])
		n = name{at: uint32(at), length: uint32(len(s.side)-at) | inSide}
	}
	n.head = head(s.bytes(data, n))
	return n
}

// head returns the first eight bytes of b as a number that orders as they do.
func head(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var h uint64
	for i, c := range b {
		h |= uint64(c) << (56 - 8*i)
	}
	return h
}

// bytes returns the name itself.
func (s *nameSet) bytes(data []byte, n name) []byte {
	if n.length&inSide != 0 {
		data = s.side
	}
	return data[n.at:][:n.length&^inSide]
}

// all returns the names of all objects that are open.
func (s *nameSet) all() []name {
	if s.many != nil {
		return s.many[:s.n]
	}
	return s.few[:s.n]
}

// open begins an object and returns what its add and close want.
func (s *nameSet) open() int { return s.n }

// add adds a name to the object, and reports false if it is known that the object has it already.
func (s *nameSet) add(data []byte, open int, n name) bool {
	if known := s.all()[open:]; len(known) < fewNames {
		for i := range known {
			if k := &known[i]; k.head == n.head && bytes.Equal(s.bytes(data, *k), s.bytes(data, n)) {
				return false
			}
		}
	}
	switch {
	case s.many != nil:
		if s.n == cap(s.many) {
			s.many = slices.Grow(s.many[:s.n], s.n) // double: less garbage than append leaves
		}
		s.many = append(s.many[:s.n], n)
	case s.n < fewNames:
		s.few[s.n] = n
	default:
		s.many = append(append(make([]name, 0, 4*fewNames), s.few[:]...), n)
	}
	s.n++
	return true
}

// close ends the object and forgets its names. If one came twice it returns that and false.
func (s *nameSet) close(data []byte, open int) (name, bool) {
	names := s.all()[open:]
	s.n = open
	if len(names) <= fewNames {
		return name{}, true
	}
	compare := func(a, b name) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return bytes.Compare(s.bytes(data, a), s.bytes(data, b))
	}
	slices.SortFunc(names, compare)
	for i := range names[1:] {
		if compare(names[i], names[i+1]) == 0 {
			return names[i], false
		}
	}
	return name{}, true
}
