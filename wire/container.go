package wire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

func (c *compiler) sliceCodec(made *codec, t reflect.Type) error {
	elem, err := c.codec(t.Elem())
	if err != nil {
		return err
	}
	if t.Elem().Kind() == reflect.Uint8 && !isCustom(t.Elem()) {
		*made = bytesCodec()
		return nil
	}
	m := &sliceCodec{elem: elem, size: int64(t.Elem().Size()), none: reflect.MakeSlice(t, 0, 0)}
	made.decode, made.encode = m.decode, m.encode
	return nil
}

type sliceCodec struct {
	elem *codec
	size int64         // bytes of an element
	none reflect.Value // a slice without elements, which is not nil
}

// fewElements is for how many elements there is room before they are counted.
const fewElements = 4

// cost returns how many bytes a slice of n elements takes as it grows.
func (m *sliceCodec) cost(n int) int64 {
	switch {
	case n == 0:
		return 0
	case n <= fewElements:
		return m.size * fewElements
	case n <= 2*fewElements:
		return m.size * 3 * fewElements
	}
	return m.size * (fewElements + int64(n))
}

func (m *sliceCodec) decode(d *decoder, i int, v reflect.Value) int {
	if d.at(i) != '[' {
		if d.null(i) {
			return i + lenNull
		}
		return d.wrongKind(i, "an array")
	}
	i, more := d.enter(i, ']')
	if !more {
		v.Set(m.none)
		return i
	}
	if !d.spend(i, m.cost(1)) {
		return -1
	}
	v.Grow(fewElements)
	for n := 0; more; n++ {
		if n == v.Cap() {
			rest := d.count(i, ']')
			if rest < 0 || !d.spend(i, m.cost(n+rest)-m.cost(1)) {
				return -1
			}
			v.Grow(rest)
		}
		v.SetLen(n + 1)
		if i = m.elem.decode(d, i, v.Index(n)); i < 0 {
			d.err.inElement(n)
		}
		i, more = d.next(i, ']')
	}
	return i
}

func (m *sliceCodec) encode(e *encoder, v reflect.Value) bool {
	if v.IsNil() {
		return e.null()
	}
	e.cost += m.cost(v.Len())
	return e.elements(v, m.elem)
}

func (e *encoder) elements(v reflect.Value, elem *codec) bool {
	if !e.enter('[') {
		return false
	}
	for n := range v.Len() {
		if n > 0 {
			e.b = append(e.b, ',')
		}
		if !elem.encode(e, v.Index(n)) {
			e.err.inElement(n)
			return false
		}
	}
	e.leave(']')
	return true
}

// arrayCodec is for arrays, of which a frame holds exactly as many elements.
func (c *compiler) arrayCodec(made *codec, t reflect.Type) error {
	elem, err := c.codec(t.Elem())
	if err != nil {
		return err
	}
	due := "an array of " + strconv.Itoa(t.Len())
	made.decode = func(d *decoder, i int, v reflect.Value) int {
		if d.null(i) {
			return i + lenNull
		}
		if d.at(i) != '[' {
			return d.wrongKind(i, due)
		}
		n, start := 0, i
		i, more := d.enter(i, ']')
		for ; more && n < t.Len(); n++ {
			if i = elem.decode(d, i, v.Index(n)); i < 0 {
				d.err.inElement(n)
			}
			i, more = d.next(i, ']')
		}
		if i >= 0 && (more || n < t.Len()) {
			return d.fail(start, ErrKind, "an array of another length where "+due+" is due")
		}
		return i
	}
	made.encode = func(e *encoder, v reflect.Value) bool { return e.elements(v, elem) }
	return nil
}

// bytesCodec is for bytes, which stand in a frame as a string of base64.
func bytesCodec() codec {
	return codec{
		decode: func(d *decoder, i int, v reflect.Value) int {
			if d.null(i) {
				return i + lenNull
			}
			s, next := d.unquoted(i)
			if next < 0 {
				return -1
			}
			b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
			n, err := decodeBase64(b, s)
			if err != nil {
				return d.fail(i, ErrValue, "base64 is due")
			}
			v.SetBytes(b[:n])
			return next
		},
		encode: func(e *encoder, v reflect.Value) bool {
			if v.IsNil() {
				return e.null()
			}
			e.b = append(e.b, '"')
			e.b = appendBase64(e.b, v.Bytes())
			e.b = append(e.b, '"')
			return true
		},
	}
}

// mapCost returns how many bytes a map of n entries takes: Go's maps have groups of eight slots, twice as many of them
// when seven in eight are taken.
func mapCost(slot int64, n int) int64 {
	const header, table = 48, 112
	if n == 0 {
		return header
	}
	slots := 8
	for n > 8 && slots-slots/8 < n {
		slots *= 2
	}
	return header + table + int64(slots)*(slot+1)
}

func (c *compiler) mapCodec(made *codec, t reflect.Type) error {
	if t.Key().Kind() != reflect.String || isCustom(t.Key()) {
		return fmt.Errorf("%s: the keys of a map must be strings", t)
	}
	elem, err := c.codec(t.Elem())
	if err != nil {
		return err
	}
	m := &mapCodec{t: t, elem: elem, slot: int64(t.Key().Size() + t.Elem().Size())}
	made.decode, made.encode = m.decode, m.encode
	return nil
}

type mapCodec struct {
	t    reflect.Type
	elem *codec
	slot int64 // bytes of a key and a value
}

func (m *mapCodec) decode(d *decoder, i int, v reflect.Value) int {
	if d.at(i) != '{' {
		if d.null(i) {
			return i + lenNull
		}
		return d.wrongKind(i, "an object")
	}
	i, more := d.enter(i, '}')
	n := 0
	if more {
		n = d.count(i, '}')
	}
	if n < 0 || !d.spend(i, mapCost(m.slot, n)) {
		return -1
	}
	v.Set(reflect.MakeMapWithSize(m.t, n))
	key, value := reflect.New(m.t.Key()).Elem(), reflect.New(m.t.Elem()).Elem()
	for more {
		name, next := d.text(i, maxFrame)
		if i = d.colon(next); i < 0 {
			return -1
		}
		value.SetZero()
		if i = m.elem.decode(d, i, value); i < 0 {
			d.err.inField(name)
			return -1
		}
		key.SetString(name)
		v.SetMapIndex(key, value)
		i, more = d.next(i, '}')
	}
	return i
}

func (m *mapCodec) encode(e *encoder, v reflect.Value) bool {
	if v.IsNil() {
		return e.null()
	}
	if !e.enter('{') {
		return false
	}
	e.cost += mapCost(m.slot, v.Len())
	entries := make(map[string]reflect.Value, v.Len())
	for it := v.MapRange(); it.Next(); {
		// Names that differ only in bytes that are not UTF-8 would become one.
		name := string(appendString(nil, it.Key().String()))
		if _, ok := entries[name]; ok {
			e.fail(ErrDuplicate, "")
			return e.inEntry(name)
		}
		entries[name] = it.Value()
	}
	value := reflect.New(m.t.Elem()).Elem() // what is encoded must be addressable
	for n, name := range slices.Sorted(maps.Keys(entries)) {
		if n > 0 {
			e.b = append(e.b, ',')
		}
		e.b = append(e.b, name...)
		e.b = append(e.b, ':')
		value.Set(entries[name])
		if !m.elem.encode(e, value) {
			return e.inEntry(name)
		}
	}
	e.leave('}')
	return true
}

// inEntry puts the name of a map's entry, as it is written, before the path of the error. It returns false.
func (e *encoder) inEntry(name string) bool {
	e.err.inField(string(appendUnescaped(nil, []byte(name[1:len(name)-1]))))
	return false
}

func (c *compiler) pointerCodec(made *codec, t reflect.Type) error {
	if t.Elem().Kind() == reflect.Pointer {
		return fmt.Errorf("%s: a pointer to a pointer", t)
	}
	elem, err := c.codec(t.Elem())
	if err != nil {
		return err
	}
	size := int64(t.Elem().Size())
	made.decode = func(d *decoder, i int, v reflect.Value) int {
		if d.null(i) {
			return i + lenNull
		}
		if !d.spend(i, size) {
			return -1
		}
		v.Set(reflect.New(t.Elem()))
		return elem.decode(d, i, v.Elem())
	}
	made.encode = func(e *encoder, v reflect.Value) bool {
		if v.IsNil() {
			return e.null()
		}
		e.cost += size
		return elem.encode(e, v.Elem())
	}
	return nil
}
