package kvconf

import (
	"fmt"
	"reflect"
	"strconv"
)

// A jsonReader reads one JSON value.
type jsonReader struct {
	text  string
	pos   int
	depth int
	path  []byte // of the value that is read, such as [0].dev
	to    reporter
}

// maxDepth bounds how deep JSON values may be nested.
const maxDepth = 200

// setJSONText reads s, which must be one JSON value, into v.
func (c *codec) setJSONText(v reflect.Value, s string, to reporter) error {
	r := jsonReader{text: s, to: to}
	p := reflect.New(c.typ).Elem()
	if err := r.value(c, p); err != nil {
		return err
	}
	if r.next(); r.pos < len(s) {
		return r.fail(r.pos, "there is more behind the JSON value")
	}
	v.Set(p)
	return nil
}

// value reads the value that comes next into v.
func (r *jsonReader) value(c *codec, v reflect.Value) error {
	start := r.next()
	if c.shape == shapeJSON {
		return r.raw(v)
	}
	if start == 'n' {
		return r.null(c, v)
	}
	switch c.shape {
	case shapePointer:
		p := reflect.New(c.elem.typ)
		if err := r.value(c.elem, p.Elem()); err != nil {
			return err
		}
		v.Set(p)
		return nil
	case shapeList:
		return r.list(c, v)
	case shapeMap:
		return r.mapping(c, v)
	case shapeStruct:
		return r.object(c, v)
	case shapeAny:
		x, err := r.any()
		if err == nil {
			v.Set(reflect.ValueOf(x))
		}
		return err
	}
	return r.scalar(c, v)
}

func (r *jsonReader) null(c *codec, v reflect.Value) error {
	if _, err := r.word(); err != nil {
		return err
	}
	switch c.shape {
	case shapePointer, shapeMap, shapeAny, shapeBytes:
		v.SetZero()
	case shapeList:
		if c.typ.Kind() == reflect.Slice {
			v.SetZero()
		}
	}
	return nil
}

// raw gives the text of the next value to a json.Unmarshaler.
func (r *jsonReader) raw(v reflect.Value) error {
	at := r.pos
	if err := r.skip(); err != nil {
		return err
	}
	if err := v.Addr().Interface().(jsonUnmarshaler).UnmarshalJSON([]byte(r.text[at:r.pos])); err != nil {
		return &valueError{kind: ErrValue, msg: err.Error(), offset: at, path: string(r.path), err: err}
	}
	return nil
}

// wants names the JSON type of a scalar for a message.
func (c *codec) wants() string {
	switch c.shape {
	case shapeBool:
		return "true or false"
	case shapeInt, shapeUint, shapeFloat:
		return "a number"
	case shapeSize:
		return "a number or a string"
	case shapeList:
		return `"["`
	case shapeMap, shapeStruct:
		return `"{"`
	}
	return "a string"
}

// scalar reads the next value, which must be of the JSON type that c wants.
func (r *jsonReader) scalar(c *codec, v reflect.Value) error {
	at := r.pos
	var text string
	var err error
	var fits bool
	switch ch := r.next(); {
	case ch == '"':
		text, err = r.string()
		fits = c.shape != shapeBool && c.shape != shapeInt && c.shape != shapeUint && c.shape != shapeFloat
	case ch == '-' || ch >= '0' && ch <= '9':
		text, err = r.number()
		fits = c.shape == shapeInt || c.shape == shapeUint || c.shape == shapeFloat || c.shape == shapeSize || c.shape == shapeText
	case ch == 't' || ch == 'f':
		text, err = r.word()
		fits = c.shape == shapeBool
	}
	if err != nil {
		return err
	}
	if !fits {
		r.pos = at
		return r.unexpected(c.wants())
	}
	if err := c.setScalar(v, text); err != nil {
		return r.at(at, err)
	}
	return nil
}

// at gives err, which is about a scalar, the place of the scalar.
func (r *jsonReader) at(offset int, err error) error {
	if e, ok := err.(*valueError); ok {
		e.offset, e.path = offset, string(r.path)
	}
	return err
}

func (r *jsonReader) enter() error {
	r.pos++
	if r.depth++; r.depth > maxDepth {
		return r.fail(r.pos-1, "the JSON value is nested more than %d deep", maxDepth)
	}
	return nil
}

// more steps to the next member of a list or object, which ends with end. It gives false when there is none.
func (r *jsonReader) more(first bool, end byte) (bool, error) {
	c := r.next()
	if c == end {
		r.pos++
		r.depth--
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, r.unexpected(fmt.Sprintf(`"," or "%c"`, end))
	}
	r.pos++
	r.next()
	return true, nil
}

func (r *jsonReader) list(c *codec, v reflect.Value) error {
	if r.next() != '[' {
		return r.unexpected(c.wants())
	}
	if err := r.enter(); err != nil {
		return err
	}
	isSlice := c.typ.Kind() == reflect.Slice
	list := reflect.New(c.typ).Elem()
	if isSlice {
		list = reflect.MakeSlice(c.typ, 0, 0)
	}
	path := len(r.path)
	n := 0
	for ; ; n++ {
		more, err := r.more(n == 0, ']')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		r.path = append(strconv.AppendInt(append(r.path[:path], '['), int64(n), 10), ']')
		if isSlice {
			list = reflect.Append(list, reflect.Zero(c.elem.typ))
		} else if n >= list.Len() {
			return r.fail(r.pos, "the list has more than %d members", list.Len())
		}
		if err := r.value(c.elem, list.Index(n)); err != nil {
			return err
		}
	}
	r.path = r.path[:path]
	if n < list.Len() {
		return r.fail(r.pos-1, "the list has %d members, not %d", n, list.Len())
	}
	v.Set(list)
	return nil
}

// name reads a name of an object and the colon behind it, and adds the name to the path.
func (r *jsonReader) name() (string, error) {
	if r.next() != '"' {
		return "", r.unexpected("a name in quotes")
	}
	name, err := r.string()
	if err != nil {
		return "", err
	}
	if r.next() != ':' {
		return "", r.unexpected(`":"`)
	}
	r.pos++
	r.next()
	r.path = append(append(r.path, '.'), name...)
	return name, nil
}

func (r *jsonReader) mapping(c *codec, v reflect.Value) error {
	if r.next() != '{' {
		return r.unexpected(c.wants())
	}
	if err := r.enter(); err != nil {
		return err
	}
	m := reflect.MakeMap(c.typ)
	path := len(r.path)
	for first := true; ; first = false {
		r.path = r.path[:path]
		more, err := r.more(first, '}')
		if err != nil {
			return err
		}
		if !more {
			break
		}
		at := r.pos
		name, err := r.name()
		if err != nil {
			return err
		}
		key, elem := reflect.New(c.key.typ).Elem(), reflect.New(c.elem.typ).Elem()
		if err := c.key.setScalar(key, name); err != nil {
			return r.at(at, err)
		}
		if m.MapIndex(key).IsValid() {
			r.tell(at, ErrDuplicateKey, "the name stands twice in the object")
		}
		if err := r.value(c.elem, elem); err != nil {
			return err
		}
		m.SetMapIndex(key, elem)
	}
	v.Set(m)
	return nil
}

// tell reports a problem that does not end the reading.
func (r *jsonReader) tell(at int, kind error, msg string) {
	r.to.report(&valueError{kind: kind, msg: msg, offset: at, path: string(r.path)})
}

func (r *jsonReader) object(c *codec, v reflect.Value) error {
	if r.next() != '{' {
		return r.unexpected(c.wants())
	}
	if err := r.enter(); err != nil {
		return err
	}
	path := len(r.path)
	seen := make([]bool, len(c.object.members))
	for first := true; ; first = false {
		r.path = r.path[:path]
		more, err := r.more(first, '}')
		if err != nil || !more {
			return err
		}
		at := r.pos
		name, err := r.name()
		if err != nil {
			return err
		}
		i, ok := c.object.index[name]
		if !ok {
			r.to.report(&valueError{kind: ErrUnknownKey, object: c.object, name: name, offset: at, path: string(r.path)})
			if err := r.skip(); err != nil {
				return err
			}
			continue
		}
		if seen[i] {
			r.tell(at, ErrDuplicateKey, "the name stands twice in the object")
		}
		seen[i] = true
		m := &c.object.members[i]
		if err := r.value(m.codec, m.in(v, true)); err != nil {
			return hidden(err, m.secret)
		}
	}
}
