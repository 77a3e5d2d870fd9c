package kvconf

import (
	"reflect"
	"slices"
	"strings"
)

// entries writes the members of a map as settings of their own, whose keys start with prefix.
func (e *encodeState) entries(prefix string, c *codec, m reflect.Value) {
	seen := map[string]bool{}
	e.flatten(prefix, c, m, 0, func(key string, c *codec, v reflect.Value) {
		why := keyProblem(key)
		if seen[key] {
			why = "another value has the same key"
		}
		seen[key] = true
		if why != "" {
			e.fail(key, unwritable("%s", why))
			return
		}
		e.setting(key, c, v)
	})
}

// flatten gives the members of a map to write, with their full keys, and those of maps in it.
func (e *encodeState) flatten(prefix string, c *codec, m reflect.Value, depth int, write func(string, *codec, reflect.Value)) {
	members, err := c.sorted(m)
	if depth > maxDepth {
		err = unwritable("the map is nested more than %d deep", maxDepth)
	}
	if err != nil {
		e.fail(strings.TrimSuffix(prefix, "."), err)
		return
	}
	for _, member := range members {
		key, elem, v := prefix+member.key, c.elem, member.value
		if (elem.shape == shapeMap || elem.shape == shapeStruct) && strings.Contains(member.key, ".") {
			e.fail(key, unwritable("a dot in the name would be read as a section"))
			continue
		}
		if elem.shape == shapeAny && v.Elem().Kind() == reflect.Map {
			v = v.Elem()
			if elem, err = (builder{}).codec(v.Type(), false); err != nil {
				e.fail(key, unwritable("%s", err))
				continue
			}
		}
		if elem.shape == shapeMap && v.Len() > 0 {
			e.flatten(key+".", elem, v, depth+1, write)
			continue
		}
		write(key, elem, v)
	}
}

// asSection reports whether the map v of the field f can be written as settings of their own, which are all read as such.
func (c *codec) asSection(p *plan, f *field, v reflect.Value) bool {
	if v.Len() == 0 || !c.elem.isScalar() {
		return false
	}
	members, err := c.sorted(v)
	if err != nil {
		return false
	}
	return !slices.ContainsFunc(members, func(m mapMember) bool {
		key := f.key + "." + m.key
		i, _ := p.find(key, 0)
		inAny := c.elem.shape == shapeAny && !m.value.IsNil() && m.value.Elem().Kind() != reflect.String
		return i < 0 || &p.fields[i] != f || keyProblem(key) != "" || inAny
	})
}

type mapMember struct {
	key   string
	value reflect.Value
}

// sorted gives the members of a map in the order of their keys.
func (c *codec) sorted(m reflect.Value) ([]mapMember, error) {
	members := make([]mapMember, 0, m.Len())
	for iter := m.MapRange(); iter.Next(); {
		key, err := c.key.appendScalar(nil, iter.Key())
		if err != nil {
			return nil, err
		}
		members = append(members, mapMember{string(key), iter.Value()})
	}
	slices.SortFunc(members, func(a, b mapMember) int { return strings.Compare(a.key, b.key) })
	for i := 1; i < len(members); i++ {
		if members[i].key == members[i-1].key {
			return nil, unwritable("two keys of the map are %s", quoted(members[i].key))
		}
	}
	return members, nil
}
