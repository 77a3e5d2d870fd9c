package kvconf

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsonReader reads one JSON value.
type jsonReader struct {
	text   string
	pos    int
	depth  int
	path   []byte // of the value that is read, such as [0].dev
	report reporter
}

// maxDepth bounds how deep JSON values may be nested.
const maxDepth = 200

// setJSONText reads s, which must be one JSON value, into v.
func (c *codec) setJSONText(v reflect.Value, s string, report reporter) error {
	r := jsonReader{text: s, report: report}
	if err := r.value(c, v); err != nil {
		return err
	}
	if r.next() != 0 {
		return r.fail(r.pos, "there is more behind the JSON value")
	}
	return nil
}

func (r *jsonReader) fail(at int, format string, args ...any) error {
	return &valueError{kind: ErrValue, msg: fmt.Sprintf(format, args...), offset: at, path: string(r.path)}
}

// next skips blanks and gives the character that follows, or 0 at the end.
func (r *jsonReader) next() byte {
	for r.pos < len(r.text) {
		switch c := r.text[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// unexpected is the error for a character that cannot stand where the reader is.
func (r *jsonReader) unexpected(want string) error {
	if r.pos >= len(r.text) {
		return r.fail(len(r.text), "the JSON value ends too early: %s is missing", want)
	}
	return r.fail(r.pos, "in the JSON value, %s is expected, not %s", want, strconv.QuoteRune(firstRune(r.text[r.pos:])))
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
		e := err.(*valueError)
		e.offset, e.path = at, string(r.path)
		return e
	}
	return nil
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
			return r.fail(at, "%s", err)
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
	r.report(&valueError{kind: kind, msg: msg, offset: at, path: string(r.path)})
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
			msg, suggest := unknownKey(name, c.object.names())
			r.report(&valueError{kind: ErrUnknownKey, msg: msg, suggest: suggest, offset: at, path: string(r.path)})
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

// any reads the next value as encoding/json does into an empty interface.
func (r *jsonReader) any() (any, error) {
	switch c := r.next(); {
	case c == '"':
		return r.string()
	case c == '[':
		return r.anyList()
	case c == '{':
		return r.anyObject()
	case c == '-' || c >= '0' && c <= '9':
		at := r.pos
		text, err := r.number()
		if err != nil {
			return nil, err
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, r.fail(at, "%s is too large for float64", shorten(text))
		}
		return f, nil
	}
	word, err := r.word()
	if err != nil || word == "null" {
		return nil, err
	}
	return word == "true", nil
}

func (r *jsonReader) anyList() (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	list := []any{}
	for {
		more, err := r.more(len(list) == 0, ']')
		if err != nil || !more {
			return list, err
		}
		x, err := r.any()
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
}

func (r *jsonReader) anyObject() (any, error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	m := map[string]any{}
	path := len(r.path)
	for first := true; ; first = false {
		r.path = r.path[:path]
		more, err := r.more(first, '}')
		if err != nil || !more {
			return m, err
		}
		at := r.pos
		name, err := r.name()
		if err != nil {
			return nil, err
		}
		if _, ok := m[name]; ok {
			r.tell(at, ErrDuplicateKey, "the name stands twice in the object")
		}
		if m[name], err = r.any(); err != nil {
			return nil, err
		}
	}
}

// skip reads over the next value and checks it.
func (r *jsonReader) skip() error {
	report := r.report
	r.report = func(*valueError) {}
	_, err := r.any()
	r.report = report
	return err
}

// word reads null, true or false.
func (r *jsonReader) word() (string, error) {
	for _, word := range [...]string{"null", "true", "false"} {
		if strings.HasPrefix(r.text[r.pos:], word) {
			r.pos += len(word)
			return word, nil
		}
	}
	return "", r.unexpected("a value")
}

// number reads a number of JSON's grammar and gives its text.
func (r *jsonReader) number() (string, error) {
	start := r.pos
	digits := func() bool {
		from := r.pos
		for r.pos < len(r.text) && r.text[r.pos] >= '0' && r.text[r.pos] <= '9' {
			r.pos++
		}
		return r.pos > from
	}
	take := func(set string) bool {
		if r.pos < len(r.text) && strings.IndexByte(set, r.text[r.pos]) >= 0 {
			r.pos++
			return true
		}
		return false
	}
	take("-")
	ok := take("0") || digits()
	if ok && take(".") {
		ok = digits()
	}
	if ok && take("eE") {
		take("+-")
		ok = digits()
	}
	if !ok {
		return "", r.unexpected("a digit")
	}
	return r.text[start:r.pos], nil
}

// string reads a string.
func (r *jsonReader) string() (string, error) {
	start := r.pos + 1
	for i := start; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.pos = i + 1
			return r.text[start:i], nil
		case c == '\\' || c < ' ':
			return r.escapedString(start, i)
		}
	}
	return "", r.fail(r.pos, "a string of the JSON value is not closed")
}

// escapedString reads on in a string that started at start, at the first character that needs a closer look.
func (r *jsonReader) escapedString(start, i int) (string, error) {
	b := []byte(r.text[start:i])
	for i < len(r.text) {
		c := r.text[i]
		switch {
		case c == '"':
			r.pos = i + 1
			return string(b), nil
		case c < ' ':
			return "", r.fail(i, "a control character within a string of the JSON value is written as \\u%04x", c)
		case c != '\\':
			b = append(b, c)
			i++
			continue
		}
		text, size := jsonEscape(r.text[i:])
		if size == 0 {
			return "", r.fail(i, "a wrong escape in a string of the JSON value")
		}
		b = utf8.AppendRune(b, text)
		i += size
	}
	return "", r.fail(start-1, "a string of the JSON value is not closed")
}

// jsonEscape gives the character of the escape at the start of s and the length of the escape, 0 when it is wrong.
func jsonEscape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	if s[1] != 'u' {
		return 0, 0
	}
	n, bad := parseHex(s[2:], 4)
	if bad != "" {
		return 0, 0
	}
	if !utf16.IsSurrogate(rune(n)) {
		return rune(n), 6
	}
	if len(s) < 12 || s[6] != '\\' || s[7] != 'u' {
		return 0, 0
	}
	low, bad := parseHex(s[8:], 4)
	r := utf16.DecodeRune(rune(n), rune(low))
	if bad != "" || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}
