package manifest

// PlainKind gives the name of what a text without quotes is, and whether readers of YAML disagree about it.
func PlainKind(s string) (kind string, disputed bool) {
	k, l := plainKind(s)
	return k.name().EN, l != notLegacy
}

// ParseBytes reads a size in bytes.
func ParseBytes(text string) (uint64, bool) {
	n, p := parseBytes(text)
	return n, p == nil
}

// Settings gives the keys and values that agents of the field read from a configuration file.
func Settings(data []byte) (keys, values []string) {
	r := &confReader{collector: collector{src: newSource(data)}}
	r.read()
	for _, e := range r.entries {
		keys = append(keys, e.key)
		value := e.value
		if e.quoted {
			value = r.src.text[e.valueAt : e.valueAt+len(value)+2]
		}
		values = append(values, value)
	}
	return keys, values
}
