package wire

import (
	"encoding/json"
	"math"
	"reflect"
)

// anyCodec is for values of any type. What is decoded is what encoding/json makes of it: map[string]any, []any, string,
// float64, bool or nil.
func anyCodec() codec {
	return codec{
		decode: func(d *decoder, i int, v reflect.Value) int {
			x, next := d.any(i)
			if next >= 0 && x != nil {
				v.Set(reflect.ValueOf(x))
			}
			return next
		},
		encode: func(e *encoder, v reflect.Value) bool {
			start := len(e.b)
			text, err := json.Marshal(v.Interface())
			if err != nil {
				return e.refused(err)
			}
			e.b = append(e.b, text...)
			if !e.checked(start) {
				return false
			}
			d := decoder{data: e.b[start:], left: math.MaxInt64}
			if _, next := d.any(0); next < 0 {
				e.err, d.err.Offset = d.err, -1
				return false
			}
			e.cost += math.MaxInt64 - d.left
			return true
		},
	}
}

// What a value takes in an interface: the string or the slice that it points to, a number.
const (
	boxedHeader = 24
	boxedNumber = 8
	anySize     = 16
	stringSize  = 16
)

// any decodes the value at i.
func (d *decoder) any(i int) (any, int) {
	switch d.at(i) {
	case '{':
		return d.anyMap(i)
	case '[':
		return d.anySlice(i)
	case '"':
		if !d.spend(i, boxedHeader) {
			return nil, -1
		}
		s, next := d.text(i, maxFrame)
		return s, next
	case 't':
		return true, i + len("true")
	case 'f':
		return false, i + len("false")
	case 'n':
		return nil, i + lenNull
	}
	if !d.spend(i, boxedNumber) {
		return nil, -1
	}
	x, next := d.float(i, 64)
	return x, next
}

func (d *decoder) anyMap(i int) (any, int) {
	i, more := d.enter(i, '}')
	n := 0
	if more {
		n = d.count(i, '}')
	}
	if n < 0 || !d.spend(i, mapCost(stringSize+anySize, n)) {
		return nil, -1
	}
	m := make(map[string]any, n)
	for more {
		name, next := d.text(i, maxFrame)
		if i = d.colon(next); i < 0 {
			return nil, -1
		}
		if m[name], i = d.any(i); i < 0 {
			d.err.inField(name)
			return nil, -1
		}
		i, more = d.next(i, '}')
	}
	return m, i
}

func (d *decoder) anySlice(i int) (any, int) {
	i, more := d.enter(i, ']')
	n := 0
	if more {
		n = d.count(i, ']')
	}
	if n < 0 || !d.spend(i, boxedHeader+anySize*int64(n)) {
		return nil, -1
	}
	s := make([]any, 0, n)
	for more {
		var x any
		if x, i = d.any(i); i < 0 {
			d.err.inElement(len(s))
			return nil, -1
		}
		s = append(s, x)
		i, more = d.next(i, ']')
	}
	return s, i
}
