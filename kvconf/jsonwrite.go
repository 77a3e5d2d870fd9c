package kvconf

import (
	"fmt"
	"reflect"
	"unicode/utf8"
)

// appendJSON writes v as a JSON value. A "#" is always escaped, so that the value needs no quotes, and that agents of the
// field, which cut a value there, read all of it.
func (c *codec) appendJSON(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if depth > maxDepth {
		return dst, unwritable("the value is nested more than %d deep", maxDepth)
	}
	switch c.shape {
	case shapePointer, shapeAny:
		return c.appendJSONInner(dst, v, depth+1)
	case shapeList:
		return c.appendJSONList(dst, v, depth+1)
	case shapeMap:
		return c.appendJSONMap(dst, v, depth+1)
	case shapeStruct:
		return c.appendJSONObject(dst, v, depth+1)
	case shapeJSON:
		m, ok := v.Interface().(jsonMarshaler)
		if !ok {
			m, ok = addressable(v).Addr().Interface().(jsonMarshaler)
		}
		if !ok {
			return dst, unwritable("%s can be read from JSON, but has no MarshalJSON", c.typ)
		}
		text, err := m.MarshalJSON()
		if err != nil {
			return dst, &valueError{kind: ErrUnwritable, msg: err.Error(), err: err}
		}
		return append(dst, text...), nil
	case shapeBool, shapeInt, shapeUint, shapeFloat:
		return c.appendScalar(dst, v)
	case shapeBytes:
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
	}
	text, err := c.appendScalar(nil, v)
	if err != nil {
		return dst, err
	}
	return appendJSONString(dst, string(text))
}

func (c *codec) appendJSONInner(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return append(dst, "null"...), nil
	}
	if c.shape == shapePointer {
		return c.elem.appendJSON(dst, v.Elem(), depth)
	}
	inner, err := builder{}.codec(v.Elem().Type(), false)
	if err != nil {
		return dst, unwritable("%s", err)
	}
	return inner.appendJSON(dst, v.Elem(), depth)
}

func (c *codec) appendJSONList(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if c.typ.Kind() == reflect.Slice && v.IsNil() {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '[')
	var err error
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = c.elem.appendJSON(dst, v.Index(i), depth); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (c *codec) appendJSONMap(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.IsNil() {
		return append(dst, "null"...), nil
	}
	members, err := c.sorted(v)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendJSONString(dst, m.key); err != nil {
			return dst, err
		}
		if dst, err = c.elem.appendJSON(append(dst, ':'), m.value, depth); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (c *codec) appendJSONObject(dst []byte, v reflect.Value, depth int) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for i := range c.object.members {
		m := &c.object.members[i]
		value := m.in(v, false)
		if !value.IsValid() || m.omitempty && isEmpty(value) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		var err error
		if dst, err = appendJSONString(dst, m.name); err != nil {
			return dst, err
		}
		if dst, err = m.codec.appendJSON(append(dst, ':'), value, depth); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func appendJSONString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, unwritable("a string of a JSON value is not UTF-8")
	}
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ' || c == '#' || c == 0x7f:
			dst = fmt.Appendf(dst, `\u%04x`, c)
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"'), nil
}
