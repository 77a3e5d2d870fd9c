package kvconf

import (
	"reflect"
	"strings"
)

// A form is how the text of a value is written.
type form uint8

const (
	formText   form = iota // in quotes when the text needs them
	formQuoted             // always in quotes, since without them it would be null
	formAbsent             // not at all
)

// appendValue writes v as setText reads it.
func (c *codec) appendValue(dst []byte, v reflect.Value, dialect Dialect) ([]byte, form, error) {
	switch c.shape {
	case shapePointer:
		return c.appendPointer(dst, v, dialect)
	case shapeList:
		return c.appendList(dst, v, dialect)
	case shapeAny:
		if v.IsNil() {
			return append(dst, "null"...), formText, nil
		}
		return c.appendDynamic(dst, v.Elem(), dialect)
	case shapeBytes:
		if v.IsNil() && dialect == DialectNative {
			return append(dst, "null"...), formText, nil
		}
		return withForm(append(dst, v.Bytes()...), len(dst))
	case shapeMap, shapeStruct, shapeJSON:
		dst, err := c.appendJSON(dst, v, 0)
		return dst, formText, err
	}
	dst, err := c.appendScalar(dst, v)
	return dst, formText, err
}

// withForm gives the form of a text that starts at start, where null without quotes would not be a text.
func withForm(dst []byte, start int) ([]byte, form, error) {
	if string(dst[start:]) == "null" {
		return dst, formQuoted, nil
	}
	return dst, formText, nil
}

func (c *codec) appendPointer(dst []byte, v reflect.Value, dialect Dialect) ([]byte, form, error) {
	if v.IsNil() {
		if dialect == DialectField {
			return dst, formAbsent, nil
		}
		return append(dst, "null"...), formText, nil
	}
	start := len(dst)
	dst, f, err := c.elem.appendValue(dst, v.Elem(), dialect)
	if err != nil {
		return dst, f, err
	}
	if c.elem.isNil(v.Elem()) {
		return dst, f, unwritable("a pointer to nil would be read as a nil pointer")
	}
	switch c.elem.shape {
	case shapeString, shapeText, shapeAny, shapeBytes:
		return withForm(dst, start)
	}
	return dst, f, nil
}

// isNil reports whether v is of a kind that can be nil, and is.
func (c *codec) isNil(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil() && c.shape != shapeText
	}
	return false
}

// appendDynamic writes what is in an interface.
func (c *codec) appendDynamic(dst []byte, v reflect.Value, dialect Dialect) ([]byte, form, error) {
	inner, err := builder{}.codec(v.Type(), false)
	if err != nil {
		return dst, formText, unwritable("%s", err)
	}
	if inner.shape == shapePointer && inner.elem.shape == shapeAny {
		return dst, formText, unwritable("%s may lead back to itself", v.Type())
	}
	start := len(dst)
	dst, f, err := inner.appendValue(dst, v, dialect)
	if err != nil || f != formText || inner.shape != shapeString && inner.shape != shapeText {
		return dst, f, err
	}
	return withForm(dst, start)
}

func (c *codec) appendList(dst []byte, v reflect.Value, dialect Dialect) ([]byte, form, error) {
	isNil := c.typ.Kind() == reflect.Slice && v.IsNil()
	switch {
	case isNil && (dialect == DialectNative || !c.elem.isScalar()):
		return append(dst, "null"...), formText, nil
	case v.Len() == 0 && (c.elem.isScalar() || c.typ.Kind() == reflect.Array):
		return dst, formText, nil
	}
	if c.elem.isScalar() && c.elem.shape != shapeAny {
		text, ok, err := c.appendWords(dst, v, dialect)
		if ok || err != nil {
			return text, formText, err
		}
		if dialect == DialectField {
			return dst, formText, unwritable("agents of the field cannot read a list with a comma, an edge blank or nothing in a member")
		}
	}
	dst, err := c.appendJSON(dst, v, 0)
	return dst, formText, err
}

// appendWords writes v as a comma separated list. It gives false when that would be read as something else.
func (c *codec) appendWords(dst []byte, v reflect.Value, dialect Dialect) (text []byte, ok bool, err error) {
	start := len(dst)
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		at := len(dst)
		var f form
		if dst, f, err = c.elem.appendValue(dst, v.Index(i), dialect); err != nil {
			return dst, false, err
		}
		word := string(dst[at:])
		isNull := c.elem.shape == shapePointer && word == "null"
		if f != formText || isNull || word == "" || strings.IndexByte(word, ',') >= 0 || trim(word) != word {
			return dst, false, nil
		}
	}
	all := string(dst[start:])
	return dst, all != "null" && !c.looksLikeJSON(all), nil
}
