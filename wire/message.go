package wire

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"sync"
)

// Empty is the payload of a message that has none.
type Empty struct{}

// Message is the declaration of one message: its number, its name in errors and logs, the field of its payload and
// the type of that payload. It is immutable and safe for concurrent use.
type Message[T any] struct {
	typ      Type
	name     string
	field    string
	head     string // of a frame: {"type":12
	prefix   string // of the payload: ,"exec_data":
	payload  *codec
	traits   [Query + 1]bool
	encoders sync.Pool // of *encoder, so that none is made for every frame
}

// Define declares a message. The field is the name of the payload in the envelope, "" for a message without one (T is
// then [Empty]). The payload is the JSON that encoding/json makes of a T, with these differences:
//
//   - the names of members are told apart by case, and arrays must be as long as Go's;
//   - an integer has no fraction and no exponent, bytes are base64, a time is RFC 3339;
//   - null for a field is as if it were not there;
//   - the tag wire:"max=256" limits a string, in bytes;
//   - a type with methods of its own (json.Marshaler, encoding.TextMarshaler) has them for both ways;
//   - the keys of maps are strings, and the option string of the json tag is not supported.
//
// Traits say how an agent carries the message when nobody has asked for it, and that a request is no order; see [Trait].
//
// Define panics if T cannot be a payload, if traits contradict each other, or if the number or the field is taken by the envelope: that is found when
// the program starts. It takes about ten microseconds, so messages are best declared as variables of a package.
func Define[T any](t Type, name, field string, traits ...Trait) *Message[T] {
	m := &Message[T]{typ: t, name: name, field: field, head: `{"type":` + strconv.Itoa(int(t))}
	m.encoders.New = func() any { return new(encoder) }
	goType := reflect.TypeFor[T]()
	var err error
	switch field {
	case "":
		if goType.Kind() != reflect.Struct || goType.NumField() > 0 {
			err = fmt.Errorf("no field for a payload of type %s", goType)
		}
	case "type", "tid", "errmsg", "plugin", "out":
		err = fmt.Errorf("the field %s is the envelope's", field)
	default:
		m.prefix = "," + string(appendString(nil, field)) + ":"
		c := compiler{made: make(map[reflect.Type]*codec)}
		m.payload, err = c.codec(goType)
	}
	for _, trait := range traits {
		if trait == 0 || trait > Query {
			err = fmt.Errorf("trait %d", trait)
			continue
		}
		m.traits[trait] = true
	}
	if m.traits[Newest] && m.traits[Connected] {
		err = errors.New("a message is Newest or Connected, not both")
	}
	if t <= ErrorType || int64(t) > math.MaxInt32 {
		err = fmt.Errorf("the number %d is not from 1 to %d", t, math.MaxInt32)
	}
	if err != nil {
		panic(fmt.Sprintf("wire: Define %q: %v", name, err))
	}
	return m
}

// Type returns the number of the message.
func (m *Message[T]) Type() Type { return m.typ }

// Name returns the name of the message for errors and logs.
func (m *Message[T]) Name() string { return m.name }

// Has tells whether the message was declared with a trait.
func (m *Message[T]) Has(t Trait) bool { return int(t) < len(m.traits) && m.traits[t] }

// Field returns the name of the payload in the envelope, "" for a message without one.
func (m *Message[T]) Field() string { return m.field }

// Decode returns the payload of a frame of this message. Nothing of it refers to the data of the frame. The memory that
// it takes is bounded by 16 times the length of the frame and 32 KiB.
//
// An error is an [*Error]. It matches [ErrNoPayload] if the payload is missing or null.
func (m *Message[T]) Decode(f *Frame) (T, error) {
	s := new(struct {
		decoder
		v T
	})
	s.data, s.left = f.data, budget(len(f.data))
	if !m.decode(&s.decoder, f, &s.v) {
		s.err.Type, s.err.Name = m.typ, m.name
		var zero T
		return zero, s.err
	}
	return s.v, nil
}

func (m *Message[T]) decode(d *decoder, f *Frame, v *T) bool {
	if f.Type != m.typ {
		d.fail(0, ErrMismatch, "the type is "+f.Type.String())
		return false
	}
	if m.field == "" {
		return true
	}
	at := f.find(m.field)
	if at == 0 || d.null(at) {
		d.fail(at, ErrNoPayload, "")
	} else if m.payload.decode(d, at, reflect.ValueOf(v).Elem()) >= 0 {
		return true
	}
	d.err.inField(m.field)
	return false
}

// Append appends the frame of this message to b. An empty task means none, and v may be nil for a message without
// payload. Strings that are not UTF-8 are written with U+FFFD for each wrong byte. Names of maps are sorted.
//
// A frame that was appended is one that [Parse] and Decode accept; what is not, such as a number that is not finite,
// is an [*Error] that names the field, and b is returned as it was. Nothing is allocated once b is large enough, except
// for maps and for types with methods of their own.
func (m *Message[T]) Append(b []byte, task string, v *T) ([]byte, error) {
	return m.AppendPlugin(b, task, nil, v)
}

// AppendPlugin is Append for a host of legacy plugins, which takes no task without the plugin that is to do it.
func (m *Message[T]) AppendPlugin(b []byte, task string, p *Plugin, v *T) ([]byte, error) {
	e := m.encoders.Get().(*encoder)
	*e = encoder{b: append(b, m.head...), depth: 1}
	ok := m.append(e, task, p, v) && e.fits(len(b))
	out, err := e.b, e.err
	*e = encoder{}
	m.encoders.Put(e)
	if !ok {
		err.Type, err.Name = m.typ, m.name
		return b, err
	}
	return out, nil
}

func (m *Message[T]) append(e *encoder, task string, p *Plugin, v *T) bool {
	if !e.task(task) || !e.plugin(p) {
		return false
	}
	if m.field != "" {
		e.b = append(e.b, m.prefix...)
		start := len(e.b)
		ok := v != nil && m.payload.encode(e, reflect.ValueOf(v).Elem())
		if ok && string(e.b[start:]) == "null" || v == nil {
			ok = e.fail(ErrNoPayload, "nil")
		}
		if !ok {
			e.err.inField(m.field)
			return false
		}
	}
	e.b = append(e.b, '}')
	return true
}

// Call is a request and the one message that answers it.
type Call[Q, R any] struct {
	Request *Message[Q]
	Reply   *Message[R]
}
