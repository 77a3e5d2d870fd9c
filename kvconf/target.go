package kvconf

import (
	"reflect"
	"strings"
)

// A structTarget decodes into a struct.
type structTarget struct {
	plan *plan
	root reflect.Value
	next int            // the field that follows the last one
	seen []int32        // per field, the line where it was set; -1 without a line
	keys map[string]int // keys within maps, and their lines
}

func (t *structTarget) put(d *decodeState) {
	i, rest := t.plan.find(d.key, t.next)
	if i < 0 {
		d.unknown(t.plan, d.key)
		return
	}
	f := &t.plan.fields[i]
	d.secret = f.secret
	t.next = i + 1
	if rest == "" {
		if t.seen[i] != 0 {
			d.duplicate(max(0, int(t.seen[i])))
		}
		if t.seen[i] == 0 {
			t.seen[i] = firstLine(d.line)
		}
	} else {
		t.keys = d.once(t.keys)
	}
	if !d.expandValue(f.expand || d.expandMap && f.codec.shape == shapeMap) {
		return
	}
	v := f.in(t.root, true)
	var err error
	if rest != "" {
		err = f.codec.setMember(v, rest, d)
	} else {
		err = f.codec.setText(v, d.value, d.inQuotes, d)
	}
	if err != nil {
		d.invalid(err)
	}
}

func (t *structTarget) isSecret(key string) bool { return t.plan.isSecret(key) }

// isSecret reports whether the field for key is a secret.
func (p *plan) isSecret(key string) bool {
	i, _ := p.find(key, 0)
	return i >= 0 && p.fields[i].secret
}

// expandValue expands the current value when that is wanted. It gives false when the value has an error.
func (d *decodeState) expandValue(wanted bool) bool {
	if d.lookup == nil || !wanted {
		return true
	}
	text, err := expand(d.value, d.lookup)
	if err != nil {
		d.invalid(err)
		return false
	}
	if text != d.value {
		d.value, d.escaped = text, true
	}
	return true
}

// firstLine gives what structTarget.seen keeps of a line.
func firstLine(line int) int32 {
	if line == 0 {
		return -1
	}
	return int32(line)
}

// once reports the current key when it is among the keys, and adds it.
func (d *decodeState) once(keys map[string]int) map[string]int {
	if keys == nil {
		keys = map[string]int{}
	}
	if first, ok := keys[d.key]; ok {
		d.duplicate(first)
	} else {
		keys[d.key] = d.line
	}
	return keys
}

// report takes the unknown and duplicate names within a JSON value.
func (d *decodeState) report(e *valueError) { d.invalid(e) }

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
	d.secret = f.secret
	return f.codec.setText(f.in(v, true), d.value, d.inQuotes, d)
}

// A wordMap decodes into a map of strings.
type wordMap struct {
	m     *map[string]string
	lines map[string]int // once a key was there before: the keys of this input
}

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

func (t *wordMap) isSecret(string) bool { return false }

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

func (t *mapTarget) isSecret(string) bool { return false }

func (t *mapTarget) put(d *decodeState) {
	t.lines = d.once(t.lines)
	if !d.expandValue(d.expandMap) {
		return
	}
	if err := t.codec.setMember(t.root, d.key, d); err != nil {
		d.invalid(err)
	}
}
