package kvconf

import (
	"encoding"
	"fmt"
	"reflect"
	"time"
)

// A shape is what a Go type looks like in the text.
type shape uint8

const (
	shapeString shape = iota
	shapeBytes        // []byte, as text
	shapeBool
	shapeInt
	shapeUint
	shapeFloat
	shapeDuration // time.Duration
	shapeSize     // an integer with the option bytes
	shapeText     // encoding.TextUnmarshaler
	shapeAny      // an empty interface: text
	shapeJSON     // json.Unmarshaler: a JSON value
	shapePointer
	shapeList // slice or array
	shapeMap
	shapeStruct // a JSON object
)

// A codec knows how values of one Go type are written and read.
type codec struct {
	shape  shape
	typ    reflect.Type
	key    *codec  // shapeMap
	elem   *codec  // shapePointer, shapeList, shapeMap
	object *object // shapeStruct
}

// jsonUnmarshaler and jsonMarshaler are the interfaces of encoding/json.
type (
	jsonUnmarshaler interface{ UnmarshalJSON([]byte) error }
	jsonMarshaler   interface{ MarshalJSON() ([]byte, error) }
)

// isScalar reports whether a value of c is one word, which can be a member of a list that is separated by commas.
func (c *codec) isScalar() bool {
	if c.shape == shapePointer {
		return c.elem.isScalar()
	}
	return c.shape < shapeJSON
}

// mayNeedQuotes reports whether a text of c can be one that stands in quotes. Numbers and the like never do.
func (c *codec) mayNeedQuotes() bool {
	switch c.shape {
	case shapeBool, shapeInt, shapeUint, shapeFloat, shapeDuration, shapeSize:
		return false
	}
	return true
}

// A builder makes codecs. It keeps those that it has made, so that a type may contain itself.
type builder map[builderKey]*codec

type builderKey struct {
	typ  reflect.Type
	size bool
}

// codec gives the codec of typ. With size, integers are sizes.
func (b builder) codec(typ reflect.Type, size bool) (*codec, error) {
	id := builderKey{typ, size}
	if known := b[id]; known != nil {
		return known, nil
	}
	c := &codec{typ: typ}
	b[id] = c
	if err := b.fill(c, size); err != nil {
		return nil, err
	}
	return c, nil
}

func (b builder) fill(c *codec, size bool) (err error) {
	switch typ := c.typ; {
	case typ == reflect.TypeFor[time.Duration]():
		c.shape = shapeDuration
	case readsItself[encoding.TextUnmarshaler](typ):
		c.shape = shapeText
	case readsItself[jsonUnmarshaler](typ):
		c.shape = shapeJSON
	default:
		if err = b.fillKind(c, size); err != nil {
			return err
		}
	}
	if !size {
		return nil
	}
	switch c.shape {
	case shapeInt, shapeUint:
		c.shape = shapeSize
	case shapePointer, shapeList, shapeMap:
	default:
		return fmt.Errorf("the option bytes is for integers, not for %s", c.typ)
	}
	return nil
}

// readsItself reports whether a variable of typ has the methods of the interface I.
func readsItself[I any](typ reflect.Type) bool {
	return typ.Kind() != reflect.Pointer && typ.Kind() != reflect.Interface && reflect.PointerTo(typ).Implements(reflect.TypeFor[I]())
}

func (b builder) fillKind(c *codec, size bool) (err error) {
	switch c.typ.Kind() {
	case reflect.String:
		c.shape = shapeString
	case reflect.Bool:
		c.shape = shapeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.shape = shapeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		c.shape = shapeUint
	case reflect.Float32, reflect.Float64:
		c.shape = shapeFloat
	case reflect.Pointer:
		c.shape = shapePointer
		if c.elem, err = b.codec(c.typ.Elem(), size); err == nil && c.elem.shape == shapePointer {
			return fmt.Errorf("%s is a pointer to a pointer", c.typ)
		}
	case reflect.Slice, reflect.Array:
		if c.typ.Kind() == reflect.Slice && c.typ.Elem().Kind() == reflect.Uint8 && !size {
			c.shape = shapeBytes
			return nil
		}
		c.shape = shapeList
		c.elem, err = b.codec(c.typ.Elem(), size)
	case reflect.Map:
		c.shape = shapeMap
		if c.key, err = b.codec(c.typ.Key(), false); err != nil {
			return err
		}
		switch c.key.shape {
		case shapeString, shapeInt, shapeUint, shapeText:
		default:
			return fmt.Errorf("%s cannot be the key of a map", c.typ.Key())
		}
		c.elem, err = b.codec(c.typ.Elem(), size)
	case reflect.Struct:
		c.shape = shapeStruct
		if size {
			return fmt.Errorf("the option bytes is for integers, not for %s", c.typ)
		}
		c.object, err = b.object(c.typ)
	case reflect.Interface:
		if c.typ.NumMethod() > 0 {
			return fmt.Errorf("%s has methods; only an empty interface can take a value", c.typ)
		}
		c.shape = shapeAny
	default:
		return fmt.Errorf("%s has no form in a config file", c.typ)
	}
	return err
}
