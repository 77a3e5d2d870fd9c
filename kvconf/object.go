package kvconf

import (
	"fmt"
	"reflect"
)

// An object is how a struct type and the names of a JSON object belong together.
type object struct {
	members []member
	index   map[string]int
}

// A member is one name of a JSON object.
type member struct {
	tag
	path     []int
	pointers bool
	codec    *codec
}

// in gives the variable of m in the struct root, see field.in.
func (m *member) in(root reflect.Value, create bool) reflect.Value {
	f := field{path: m.path, pointers: m.pointers}
	return f.in(root, create)
}

// names gives the names of the members.
func (o *object) names() []string {
	names := make([]string, len(o.members))
	for i := range o.members {
		names[i] = o.members[i].name
	}
	return names
}

// object collects the fields of typ that have a tag, and those of embedded structs without one.
func (b builder) object(typ reflect.Type) (*object, error) {
	o := &object{index: map[string]int{}}
	return o, b.members(o, typ, nil, false, 0)
}

// maxEmbedded bounds the depth of embedded structs, which may embed each other by pointer.
const maxEmbedded = 100

func (b builder) members(o *object, typ reflect.Type, path []int, pointers bool, depth int) error {
	if depth > maxEmbedded {
		return fmt.Errorf("%s embeds itself", typ)
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		t, err := parseObjectTag(f)
		if err != nil {
			return fmt.Errorf("%s: field %s: %w", typ, f.Name, err)
		}
		at := append(path[:len(path):len(path)], i)
		if !t.set {
			inner, isPointer := sectionType(f.Type)
			if f.Anonymous && inner != nil && f.Tag.Get("kv") != "-" && f.Tag.Get("json") != "-" && (f.IsExported() || !isPointer) {
				if err := b.members(o, inner, at, pointers || isPointer, depth+1); err != nil {
					return err
				}
			}
			continue
		}
		if _, taken := o.index[t.name]; taken {
			return fmt.Errorf("%s: field %s: the name %s is taken by another field", typ, f.Name, t.name)
		}
		c, err := b.codec(f.Type, t.bytes)
		if err != nil {
			return fmt.Errorf("%s: field %s: %w", typ, f.Name, err)
		}
		o.index[t.name] = len(o.members)
		o.members = append(o.members, member{tag: t, path: at, pointers: pointers, codec: c})
	}
	return nil
}
