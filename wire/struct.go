package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A structPlan says how the members of an object and the fields of a struct belong together.
type structPlan struct {
	fields []field
	byName map[string]int
}

// A field is one field of a struct, maybe of a struct that is embedded in it.
type field struct {
	name   string // of the member
	prefix string // the name as JSON, between a comma and a colon
	index  int    // of a field of the struct itself, -1 for one of an embedded struct
	path   []int  // to the field
	tagged bool   // its name stands in its tag
	codec  *codec
	omit   func(v reflect.Value) bool // nil for a field that is always written
}

func (c *compiler) structCodec(made *codec, t reflect.Type) error {
	candidates, err := c.fields(t, nil, nil)
	if err != nil {
		return err
	}
	p := &structPlan{fields: dominant(candidates), byName: make(map[string]int)}
	for i, f := range p.fields {
		p.byName[f.name] = i
	}
	made.decode, made.encode = p.decode, p.encode
	return nil
}

// fields returns the fields of a struct and of those that are embedded in it.
func (c *compiler) fields(t reflect.Type, path []int, around []reflect.Type) ([]field, error) {
	if slices.Contains(around, t) {
		return nil, fmt.Errorf("%s embeds itself", t)
	}
	around = append(slices.Clip(around), t)
	var all []field
	for i := range t.NumField() {
		sf := t.Field(i)
		tag, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if sf.Tag.Get("json") == "-" {
			continue
		}
		here := append(slices.Clip(path), i)
		if inner, ok := embedded(sf); ok && tag == "" {
			if sf.Type.Kind() == reflect.Pointer && !sf.IsExported() {
				return nil, fmt.Errorf("%s: a pointer to a struct that is not exported cannot be set", sf.Name)
			}
			promoted, err := c.fields(inner, here, around)
			if err != nil {
				return nil, err
			}
			all = append(all, promoted...)
			continue
		}
		if !sf.IsExported() {
			continue
		}
		f := field{name: tag, path: here, index: -1, tagged: tag != ""}
		if tag == "" {
			f.name = sf.Name
		}
		if len(here) == 1 {
			f.index = i
		}
		if err := c.field(&f, sf, strings.Split(options, ",")); err != nil {
			return nil, fmt.Errorf("%s: %w", sf.Name, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// embedded returns the struct whose fields a field promotes.
func embedded(sf reflect.StructField) (reflect.Type, bool) {
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t, sf.Anonymous && t.Kind() == reflect.Struct
}

// field compiles one field from its tags.
func (c *compiler) field(f *field, sf reflect.StructField, options []string) error {
	if !utf8.ValidString(f.name) {
		return fmt.Errorf("the name %q is not UTF-8", f.name)
	}
	var err error
	f.prefix = "," + string(appendString(nil, f.name)) + ":"
	if f.codec, err = c.codec(sf.Type); err != nil {
		return err
	}
	if tag, ok := sf.Tag.Lookup("wire"); ok {
		if f.codec, err = limitedCodec(sf.Type, tag); err != nil {
			return err
		}
	}
	if slices.Contains(options, "string") {
		return fmt.Errorf("the option string of the json tag is not supported")
	}
	if slices.Contains(options, "omitempty") {
		f.omit = emptyFunc(sf.Type)
	}
	if slices.Contains(options, "omitzero") {
		f.omit = either(f.omit, zeroFunc(sf.Type))
	}
	return nil
}

// limitedCodec returns the codec of a string that may not be longer than the tag says: wire:"max=256", in bytes.
func limitedCodec(t reflect.Type, tag string) (*codec, error) {
	number, ok := strings.CutPrefix(tag, "max=")
	most, err := strconv.ParseUint(number, 10, 31)
	if !ok || err != nil {
		return nil, fmt.Errorf("the tag wire:%q is not max= and a number of bytes", tag)
	}
	if custom, _ := customCodec(t); t.Kind() != reflect.String || t == numberType || custom != nil {
		return nil, fmt.Errorf("the tag wire:%q is for strings", tag)
	}
	made := stringCodec(int(most))
	return &made, nil
}

// emptyFunc returns what omitempty leaves out, nil for types of which it leaves out nothing.
func emptyFunc(t reflect.Type) func(reflect.Value) bool {
	switch t.Kind() {
	case reflect.Struct:
		return nil
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return func(v reflect.Value) bool { return v.Len() == 0 }
	}
	return reflect.Value.IsZero
}

// zeroFunc returns what omitzero leaves out.
func zeroFunc(t reflect.Type) func(reflect.Value) bool {
	type zeroer interface{ IsZero() bool }
	if t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(reflect.TypeFor[zeroer]()) {
		return func(v reflect.Value) bool { return v.Addr().Interface().(zeroer).IsZero() }
	}
	return reflect.Value.IsZero
}

func either(a, b func(reflect.Value) bool) func(reflect.Value) bool {
	if a == nil {
		return b
	}
	return func(v reflect.Value) bool { return a(v) || b(v) }
}

// dominant keeps, of the fields with one name, the one that is embedded least deep, or else has its name from its tag.
// Where that leaves more than one, it keeps none. These are the rules of encoding/json.
func dominant(all []field) []field {
	kept := all[:0:0]
	for _, f := range all {
		wins := true
		for _, g := range all {
			if g.name != f.name || slices.Equal(f.path, g.path) {
				continue
			}
			if len(g.path) < len(f.path) || len(g.path) == len(f.path) && (g.tagged || !f.tagged) {
				wins = false
			}
		}
		if wins {
			kept = append(kept, f)
		}
	}
	return kept
}

// ahead is how many fields member looks at before it looks a name up: peers leave out what is empty.
const ahead = 4

// member finds the field that the member at i belongs to, and the position of its value. The field is -1 for a member
// that is not known, the position is -1 if d.err is set. Peers write members in the order of the fields, so those that
// are expected are looked at first.
func (p *structPlan) member(d *decoder, i, expected int) (n, at int) {
	rest := d.data[i:]
	for n := expected; n < len(p.fields) && n < expected+ahead; n++ {
		prefix := p.fields[n].prefix[len(","):]
		if len(rest) > len(prefix) && rest[1] == prefix[1] && string(rest[:len(prefix)]) == prefix {
			return n, d.space(i + len(prefix))
		}
	}
	name, escaped, at := d.name(i)
	if escaped {
		name = appendUnescaped(nil, name)
	}
	if n, ok := p.byName[string(name)]; ok {
		return n, at
	}
	return -1, at
}

func (p *structPlan) decode(d *decoder, i int, v reflect.Value) int {
	if d.at(i) != '{' {
		if d.null(i) {
			return i + lenNull
		}
		return d.wrongKind(i, "an object")
	}
	expected := 0
	i, more := d.enter(i, '}')
	for more {
		n, at := p.member(d, i, expected)
		switch {
		case at < 0:
			return -1
		case n < 0:
			i = d.skip(at)
		default:
			expected = n + 1
			if i = p.fields[n].decode(d, at, v); i < 0 {
				d.err.inField(p.fields[n].name)
			}
		}
		i, more = d.next(i, '}')
	}
	return i
}

func (f *field) decode(d *decoder, i int, v reflect.Value) int {
	if f.index >= 0 {
		return f.codec.decode(d, i, v.Field(f.index))
	}
	for _, n := range f.path {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !d.spend(i, int64(v.Type().Elem().Size())) {
					return -1
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return f.codec.decode(d, i, v)
}

func (p *structPlan) encode(e *encoder, v reflect.Value) bool {
	start := len(e.b)
	if !e.enter('{') {
		return false
	}
	e.b = e.b[:start] // the comma before the first member has its place
	for i := range p.fields {
		f := &p.fields[i]
		var fv reflect.Value
		if f.index >= 0 {
			fv = v.Field(f.index)
		} else if fv = f.embedded(e, v); !fv.IsValid() {
			continue
		}
		if f.omit != nil && f.omit(fv) {
			continue
		}
		e.b = append(e.b, f.prefix...)
		if !f.codec.encode(e, fv) {
			e.err.inField(f.name)
			return false
		}
	}
	if len(e.b) == start {
		e.b = append(e.b, '{')
	} else {
		e.b[start] = '{'
	}
	e.leave('}')
	return true
}

// embedded returns the value of a field of an embedded struct, none if that is behind a nil pointer.
func (f *field) embedded(e *encoder, v reflect.Value) reflect.Value {
	for _, n := range f.path {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}
			}
			e.cost += int64(v.Type().Elem().Size())
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v
}
