package wire

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// A codec turns values of one Go type into JSON and back. It is made once, when a message is declared.
type codec struct {
	// decode decodes the value at i into v, which is settable and zero. It returns the position behind it, or -1.
	decode func(d *decoder, i int, v reflect.Value) int
	// encode appends v, which is addressable, and reports false if e.err is set.
	encode func(e *encoder, v reflect.Value) bool
}

// A compiler makes the codecs of one message.
type compiler struct {
	made map[reflect.Type]*codec // a type that contains itself finds its codec here
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	numberType   = reflect.TypeFor[json.Number]()
	float2Type   = reflect.TypeFor[Float2]()
	toJSON       = reflect.TypeFor[json.Marshaler]()
	fromJSON     = reflect.TypeFor[json.Unmarshaler]()
	toText       = reflect.TypeFor[encoding.TextMarshaler]()
	fromText     = reflect.TypeFor[encoding.TextUnmarshaler]()
	appenderText = reflect.TypeFor[encoding.TextAppender]()
)

// codec returns the codec of a type.
func (c *compiler) codec(t reflect.Type) (*codec, error) {
	if made := c.made[t]; made != nil {
		return made, nil
	}
	made := new(codec)
	c.made[t] = made
	if err := c.compile(made, t); err != nil {
		return nil, err
	}
	return made, nil
}

// compile fills the codec of a type.
func (c *compiler) compile(made *codec, t reflect.Type) error {
	switch t {
	case timeType:
		*made = timeCodec()
		return nil
	case numberType:
		*made = numberCodec()
		return nil
	case float2Type:
		*made = float2Codec()
		return nil
	}
	if custom, err := customCodec(t); custom != nil || err != nil {
		if custom != nil {
			*made = *custom
		}
		return err
	}
	switch t.Kind() {
	case reflect.Bool:
		*made = boolCodec()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		*made = intCodec(t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		*made = uintCodec(t.Bits())
	case reflect.Float32, reflect.Float64:
		*made = floatCodec(t.Bits())
	case reflect.String:
		*made = stringCodec(maxFrame)
	case reflect.Struct:
		return c.structCodec(made, t)
	case reflect.Slice:
		return c.sliceCodec(made, t)
	case reflect.Array:
		return c.arrayCodec(made, t)
	case reflect.Map:
		return c.mapCodec(made, t)
	case reflect.Pointer:
		return c.pointerCodec(made, t)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			return fmt.Errorf("an interface with methods (%s) cannot be decoded", t)
		}
		*made = anyCodec()
	default:
		return fmt.Errorf("%s has no JSON", t)
	}
	return nil
}
