package kvconf

import (
	"reflect"
	"slices"
)

// A way leads from a struct to a variable in it.
type way struct {
	path     []int // the field of the struct, of the struct in it, and so on
	pointers bool  // there are pointers on the way
}

// to gives the way to the field i of the struct at the end of w.
func (w way) to(i int) way { return way{append(slices.Clip(w.path), i), w.pointers} }

// in gives the variable in the struct root. Without create, it is not valid when the way leads through a nil pointer.
func (w *way) in(root reflect.Value, create bool) reflect.Value {
	v := root
	if !w.pointers {
		for _, i := range w.path {
			v = v.Field(i)
		}
		return v
	}
	for _, i := range w.path {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !create {
					return reflect.Value{}
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}
