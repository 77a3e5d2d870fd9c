package kvconf

import (
	"reflect"
	"strings"
)

// A wordMap decodes into a map of strings.
type wordMap struct {
	m     *map[string]string
	lines map[string]int // once a key was there before: the keys of this input
}

func (t *wordMap) isSecret(string) bool { return false }

func (t *wordMap) put(d *decodeState) {
	if !d.expandValue(d.expandMap) {
		return
	}
	if *t.m == nil {
		*t.m = make(map[string]string, d.settings())
	}
	m := *t.m
	if t.lines == nil {
		n := len(m)
		if m[d.key] = d.value; len(m) > n {
			return
		}
		t.lines = d.before()
	}
	t.lines = d.once(t.lines)
	m[d.key] = d.value
}

// before reads the input again up to the current setting, and gives the first line of each key.
func (d *decodeState) before() map[string]int {
	first := keyLines{}
	again := decodeState{Decoder: d.Decoder, into: first}
	if d.entries != nil {
		again.list(d.entries[:d.at])
	} else {
		again.source(d.src[:d.at])
	}
	return first
}

// keyLines collects the lines where keys come first.
type keyLines map[string]int

func (k keyLines) put(d *decodeState) {
	if _, ok := k[d.key]; !ok {
		k[d.key] = d.line
	}
}

func (keyLines) isSecret(string) bool { return false }

// maxPresize bounds what is allocated ahead, since an input can look as if it had more settings than it has.
const maxPresize = 1 << 14

// settings estimates how many settings the input has.
func (d *decodeState) settings() int {
	return min(maxPresize, len(d.entries)+strings.Count(d.src, "\n")+1)
}

// A mapTarget decodes into any other map.
type mapTarget struct {
	codec *codec
	root  reflect.Value
	lines map[string]int
}

func (t *mapTarget) isSecret(key string) bool { return t.codec.isSecretMember(key) }

func (t *mapTarget) put(d *decodeState) {
	d.secret = t.isSecret(d.key)
	t.lines = d.once(t.lines)
	if !d.expandValue(d.expandMap) {
		return
	}
	if err := t.codec.setMember(t.root, d.key, d); err != nil {
		d.invalid(err)
	}
}

// setMember reads the current item into the map v, under the key rest, which is the part of its key behind that of the map.
func (c *codec) setMember(v reflect.Value, rest string, d *decodeState) error {
	if v.IsNil() {
		v.Set(reflect.MakeMap(c.typ))
	}
	name, inner := rest, ""
	if c.elem.shape == shapeStruct || c.elem.shape == shapeMap {
		name, inner, _ = strings.Cut(rest, ".")
	}
	key := reflect.New(c.key.typ).Elem()
	if err := c.key.setScalar(key, name); err != nil {
		return err
	}
	elem := reflect.New(c.elem.typ).Elem()
	if old := v.MapIndex(key); old.IsValid() {
		elem.Set(old)
	}
	if err := c.elem.setInner(elem, inner, d); err != nil {
		return err
	}
	v.SetMapIndex(key, elem)
	return nil
}

// setInner reads the current item into v, a member of a map, under what is left of its key.
func (c *codec) setInner(v reflect.Value, rest string, d *decodeState) error {
	switch {
	case rest == "":
		return c.setText(v, d.value, d.inQuotes, d)
	case c.shape == shapeMap:
		return c.setMember(v, rest, d)
	}
	plan, err := planOf(c.typ)
	if err != nil {
		return &valueError{kind: ErrType, msg: err.Error(), err: err}
	}
	i, more := plan.find(rest, 0)
	if i < 0 {
		d.unknown(plan, rest)
		return nil
	}
	f := &plan.fields[i]
	if more != "" {
		return f.codec.setMember(f.in(v, true), more, d)
	}
	return f.codec.setText(f.in(v, true), d.value, d.inQuotes, d)
}

// isSecretMember reports whether what c, a map, has under rest must not be shown.
func (c *codec) isSecretMember(rest string) bool {
	if c.elem.shape != shapeStruct {
		return false
	}
	_, inner, _ := strings.Cut(rest, ".")
	plan, err := planOf(c.elem.typ)
	return err == nil && plan.isSecret(inner)
}
