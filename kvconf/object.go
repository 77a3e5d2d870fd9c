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
	way
	codec *codec
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
	return o, b.members(o, typ, way{})
}

// maxEmbedded bounds the depth of embedded structs, which may embed each other by pointer.
const maxEmbedded = 100

func (b builder) members(o *object, typ reflect.Type, at way) error {
	if len(at.path) > maxEmbedded {
		return fmt.Errorf("%s embeds itself", typ)
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		if err := b.member(o, f, at.to(i)); err != nil {
			return fmt.Errorf("%s: field %s: %w", typ, f.Name, err)
		}
	}
	return nil
}

// member adds the field f to o.
func (b builder) member(o *object, f reflect.StructField, at way) error {
	t, err := parseObjectTag(f)
	if err != nil {
		return err
	}
	if !t.set {
		inner, isPointer := sectionType(f.Type)
		hidden := f.Tag.Get("kv") == "-" || f.Tag.Get("json") == "-" || isPointer && !f.IsExported()
		if !f.Anonymous || inner == nil || hidden {
			return nil
		}
		at.pointers = at.pointers || isPointer
		return b.members(o, inner, at)
	}
	if _, taken := o.index[t.name]; taken {
		return fmt.Errorf("the name %s is taken by another field", t.name)
	}
	c, err := b.codec(f.Type, t.bytes)
	if err != nil {
		return err
	}
	o.index[t.name] = len(o.members)
	o.members = append(o.members, member{tag: t, way: at, codec: c})
	return nil
}
