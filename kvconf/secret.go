package kvconf

import (
	"fmt"
	"reflect"
)

// Secrets returns the keys of v, a struct or a pointer to one, whose tag has the option secret: what shows a configuration to
// people hides their values.
func Secrets(v any) ([]string, error) {
	t := reflect.TypeOf(v)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("kvconf: %w: %T has no tags, only a struct or a pointer to one", ErrType, v)
	}
	plan, err := planOf(t)
	if err != nil {
		return nil, fmt.Errorf("kvconf: %w: %w", ErrType, err)
	}
	var keys []string
	for i := range plan.fields {
		if plan.fields[i].secret {
			keys = append(keys, plan.fields[i].key)
		}
	}
	return keys, nil
}
