package kvconf

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A plan is how a struct type and the keys of a file belong together: its settings in the order of the fields.
type plan struct {
	fields   []field
	index    map[string]int  // full key to field
	maps     []int           // the fields that are maps, whose keys may have more parts
	sections map[string]bool // full keys of sections
	size     int             // of a typical file, in bytes
}

// A field is one setting of a struct.
type field struct {
	tag
	way
	key      string // full key
	codec    *codec
	comment  string    // the description, as comment lines
	headings []heading // of the sections that start with this field
}

// A heading is the description of a section.
type heading struct {
	prefix  string // of the keys of the section
	comment string
}

// plans remembers the plan of each struct type, as encoding/json does: making one costs more than decoding a file.
var plans sync.Map // of reflect.Type to *plan

// planOf gives the plan of a struct type, or an error that names the field that is at fault.
func planOf(typ reflect.Type) (*plan, error) {
	if p, ok := plans.Load(typ); ok {
		return p.(*plan), nil
	}
	w := walker{plan: &plan{index: map[string]int{}, sections: map[string]bool{}}, builder: builder{}}
	if err := w.walk(typ, walk{}); err != nil {
		return nil, fmt.Errorf("%s: %w", typ, err)
	}
	p, _ := plans.LoadOrStore(typ, w.plan)
	return p.(*plan), nil
}

// A walker collects the fields of a struct type.
type walker struct {
	*plan
	builder
	open     []reflect.Type // the structs around the field
	headings []heading      // of the sections that have no field yet
}

// A walk is the place of a struct within the whole.
type walk struct {
	way
	prefix string
}

func (w *walker) walk(typ reflect.Type, at walk) error {
	if slices.Contains(w.open, typ) {
		return fmt.Errorf("the section %s contains itself", typ)
	}
	w.open = append(w.open, typ)
	defer func() { w.open = w.open[:len(w.open)-1] }()
	for i := range typ.NumField() {
		if err := w.field(typ.Field(i), at, i); err != nil {
			return fmt.Errorf("field %s: %w", typ.Field(i).Name, err)
		}
	}
	return nil
}

func (w *walker) field(f reflect.StructField, at walk, i int) error {
	t, err := parseTag(f)
	if err != nil {
		return err
	}
	at.way = at.to(i)
	inner, isPointer := sectionType(f.Type)
	if !t.set {
		if !f.Anonymous || inner == nil || f.Tag.Get("kv") == "-" {
			return nil
		}
		return w.section(f, inner, isPointer, at)
	}
	t.name = at.prefix + t.name
	if _, taken := w.index[t.name]; taken || w.sections[t.name] {
		return fmt.Errorf("the key %s is taken by another field", t.name)
	}
	if inner != nil {
		if t.bytes || t.expand || t.secret || t.omitempty {
			return fmt.Errorf("the options of the tag are for settings, and %s is a section", f.Type)
		}
		w.sections[t.name] = true
		at.prefix = t.name + "."
		if comment := commentLines(t.desc); comment != "" {
			w.headings = append(w.headings, heading{at.prefix, comment})
			w.size += len(comment)
		}
		return w.section(f, inner, isPointer, at)
	}
	if !f.IsExported() {
		return fmt.Errorf("the field has a tag but cannot be set, since it is not exported")
	}
	return w.setting(f, t, at)
}

func (w *walker) section(f reflect.StructField, inner reflect.Type, isPointer bool, at walk) error {
	if isPointer {
		if !f.IsExported() {
			return fmt.Errorf("the embedded pointer cannot be set, since %s is not exported", inner)
		}
		at.pointers = true
	}
	return w.walk(inner, at)
}

func (w *walker) setting(f reflect.StructField, t tag, at walk) error {
	c, err := w.codec(f.Type, t.bytes)
	if err != nil {
		return err
	}
	if c.shape == shapeMap {
		w.maps = append(w.maps, len(w.fields))
	}
	w.index[t.name] = len(w.fields)
	comment := commentLines(t.desc)
	w.fields = append(w.fields, field{
		tag: t, way: at.way, key: t.name, codec: c, comment: comment, headings: w.headings,
	})
	w.size += len(t.name) + len(comment) + typicalValue
	w.headings = nil
	return nil
}

// typicalValue is the room for a value, its "=" and its line end, in bytes.
const typicalValue = 32

// commentLines gives a description as comment lines. Empty lines are left out: a single "#" is an error to agents of the field.
func commentLines(desc string) string {
	var b strings.Builder
	for text := range strings.Lines(desc) {
		if text = trim(text); text != "" {
			b.WriteString("# " + text + "\n")
		}
	}
	return b.String()
}

// sectionType gives the struct that typ is or points to, when that is a section: not when it reads itself from text, or from
// JSON and has no settings.
func sectionType(typ reflect.Type) (inner reflect.Type, isPointer bool) {
	if typ.Kind() == reflect.Pointer {
		typ, isPointer = typ.Elem(), true
	}
	if typ.Kind() != reflect.Struct || readsItself[encoding.TextUnmarshaler](typ) || readsItself[jsonUnmarshaler](typ) && !hasTags(typ) {
		return nil, false
	}
	return typ, isPointer
}

// hasTags reports whether a field of the struct typ has the tag kv.
func hasTags(typ reflect.Type) bool {
	for i := range typ.NumField() {
		if _, ok := typ.Field(i).Tag.Lookup("kv"); ok {
			return true
		}
	}
	return false
}

// find gives the field for key, and for a map the part of the key that is the map's. The search starts at next, since most
// files have the order of the struct.
func (p *plan) find(key string, next int) (i int, rest string) {
	if next < len(p.fields) && p.fields[next].key == key {
		return next, ""
	}
	if i, ok := p.index[key]; ok {
		return i, ""
	}
	best := -1
	for _, i := range p.maps {
		name := p.fields[i].key
		if len(key) > len(name)+1 && key[len(name)] == '.' && strings.HasPrefix(key, name) {
			if best < 0 || len(name) > len(p.fields[best].key) {
				best = i
			}
		}
	}
	if best >= 0 {
		rest = key[len(p.fields[best].key)+1:]
	}
	return best, rest
}

// isSecret reports whether the field for key is a secret.
func (p *plan) isSecret(key string) bool {
	i, rest := p.find(key, 0)
	if i < 0 {
		return false
	}
	f := &p.fields[i]
	return f.secret || rest != "" && f.codec.isSecretMember(rest)
}

// unknown says what is wrong with a key that no field has.
func (p *plan) unknown(key string) (msg, suggest string) {
	if p.sections[key] {
		return "this is a section; its settings are written as " + key + ".name = value", ""
	}
	for i := len(key) - 1; i > 0; i-- {
		if key[i] != '.' {
			continue
		}
		if _, ok := p.index[key[:i]]; ok {
			return "unknown key; " + key[:i] + " is a setting, not a section", key[:i]
		}
	}
	names := make([]string, len(p.fields))
	for i := range p.fields {
		names[i] = p.fields[i].key
	}
	return unknownKey(key, names)
}
