package wire

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
)

// isCustom reports whether a type has JSON of its own.
func isCustom(t reflect.Type) bool {
	c, err := customCodec(t)
	return c != nil || err != nil || t == timeType || t == numberType
}

// customCodec returns the codec of a type with methods of its own for JSON or text, nil for one that has none. As in
// encoding/json, methods for JSON come before methods for text.
func customCodec(t reflect.Type) (*codec, error) {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return nil, nil // what it points to is looked at
	}
	p := reflect.PointerTo(t)
	var made codec
	switch {
	case p.Implements(toJSON):
		made.encode = encodeJSON
	case p.Implements(appenderText):
		made.encode = encodeAppender
	case p.Implements(toText):
		made.encode = encodeText
	}
	switch {
	case p.Implements(fromJSON):
		made.decode = decodeJSON
	case p.Implements(fromText):
		made.decode = decodeText
	}
	switch {
	case made.encode == nil && made.decode == nil:
		return nil, nil
	case made.decode == nil:
		return nil, fmt.Errorf("%s can be encoded by a method of its own, but not decoded", t)
	case made.encode == nil:
		return nil, fmt.Errorf("%s can be decoded by a method of its own, but not encoded", t)
	}
	return &made, nil
}

// refused is the error of a method of an author's type.
func (d *decoder) refused(i int, cause error) int {
	d.fail(i, ErrValue, "")
	d.err.Cause = cause
	return -1
}

func (e *encoder) refused(cause error) bool {
	e.fail(ErrValue, "")
	e.err.Cause = cause
	return false
}

func decodeJSON(d *decoder, i int, v reflect.Value) int {
	next := d.skip(i)
	if next < 0 {
		return -1
	}
	if err := v.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(d.data[i:next:next]); err != nil {
		return d.refused(i, err)
	}
	return next
}

func encodeJSON(e *encoder, v reflect.Value) bool {
	text, err := v.Addr().Interface().(json.Marshaler).MarshalJSON()
	if err != nil {
		return e.refused(err)
	}
	start := len(e.b)
	e.b = append(e.b, text...)
	return e.checked(start)
}

func decodeText(d *decoder, i int, v reflect.Value) int {
	if d.null(i) {
		return i + lenNull
	}
	s, next := d.unquoted(i)
	if next < 0 {
		return -1
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(s); err != nil {
		return d.refused(i, err)
	}
	return next
}

// unquoted returns what the string at i stands for, good until the next string.
func (d *decoder) unquoted(i int) (s []byte, next int) {
	if d.at(i) != '"' {
		return nil, d.wrongKind(i, "a string")
	}
	s, escaped, next := d.str(i)
	if escaped {
		d.scratch = appendUnescaped(d.scratch[:0], s)
		s = d.scratch
	}
	return s, next
}

func encodeText(e *encoder, v reflect.Value) bool {
	text, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return e.refused(err)
	}
	e.b = appendString(e.b, string(text))
	return true
}

func encodeAppender(e *encoder, v reflect.Value) bool {
	start := len(e.b)
	b, err := v.Addr().Interface().(encoding.TextAppender).AppendText(append(e.b, '"'))
	if err != nil {
		return e.refused(err)
	}
	e.b = b
	if n := plain(e.b[start+1:]); n < len(e.b)-start-1 {
		e.b = appendString(e.b[:start], string(e.b[start+1:]))
		return true
	}
	e.b = append(e.b, '"')
	return true
}
