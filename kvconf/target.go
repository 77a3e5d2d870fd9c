package kvconf

import "reflect"

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
		d.secret = f.secret || f.codec.isSecretMember(rest)
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

// firstLine gives what structTarget.seen keeps of a line.
func firstLine(line int) int32 {
	if line == 0 {
		return -1
	}
	return int32(line)
}
