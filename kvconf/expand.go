package kvconf

import "strings"

// expand replaces the names in s by their values, see Decoder.Expand.
func expand(s string, lookup func(string) (string, bool)) (string, error) {
	if strings.IndexByte(s, '$') < 0 {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '$' || i+1 == len(s) {
			b.WriteByte(s[i])
			i++
			continue
		}
		name, size := "", 0
		switch next := s[i+1:]; next[0] {
		case '$':
			b.WriteByte('$')
			i += 2
			continue
		case '{':
			end := strings.IndexByte(next, '}')
			if end < 0 {
				return "", &valueError{kind: ErrValue, msg: `"${" is not closed`, offset: i}
			}
			if name = next[1:end]; nameLength(name) != len(name) || name == "" {
				return "", &valueError{kind: ErrValue, msg: quoted(name) + " within ${} is not a name", offset: i}
			}
			size = end + 2
		default:
			name = next[:nameLength(next)]
			size = len(name) + 1
		}
		if name == "" {
			b.WriteByte('$')
			i++
			continue
		}
		value, ok := lookup(name)
		if !ok {
			return "", &valueError{kind: ErrUnset, msg: "$" + shorten(name) + " is not set", offset: i}
		}
		b.WriteString(value)
		i += size
	}
	return b.String(), nil
}

// nameLength gives the length of the name at the start of s.
func nameLength(s string) int {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case c >= '0' && c <= '9' && i > 0:
		default:
			return i
		}
	}
	return len(s)
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
