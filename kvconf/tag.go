package kvconf

import (
	"fmt"
	"reflect"
	"strings"
)

// A tag is what the tags of a struct's field say.
type tag struct {
	name      string
	set       bool // there is a name: the field is a setting, or a section
	bytes     bool
	expand    bool
	secret    bool
	omitempty bool
	desc      string
}

// parseTag reads `kv:"name,option,…" desc:"…"`. The name "-" means the same as no tag.
func parseTag(f reflect.StructField) (tag, error) {
	t := tag{desc: f.Tag.Get("desc")}
	text, ok := f.Tag.Lookup("kv")
	if !ok || text == "-" {
		return t, nil
	}
	name, options, _ := strings.Cut(text, ",")
	if name == "" {
		return t, fmt.Errorf("the tag `kv:%q` has no name", text)
	}
	if why := keyProblem(name); why != "" {
		return t, fmt.Errorf("the tag `kv:%q` is no key: %s", text, why)
	}
	if !f.IsExported() && !f.Anonymous {
		return t, fmt.Errorf("the field has a tag but cannot be set, since it is not exported")
	}
	t.name, t.set = name, true
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "":
		case "bytes":
			t.bytes = true
		case "expand":
			t.expand = true
		case "secret":
			t.secret = true
		case "omitempty":
			t.omitempty = true
		default:
			return t, fmt.Errorf("the tag `kv:%q` has the unknown option %q", text, option)
		}
	}
	return t, nil
}

// parseObjectTag reads the tags of a field of a struct that is a JSON object, where the tag json is good as well.
func parseObjectTag(f reflect.StructField) (tag, error) {
	t, err := parseTag(f)
	if _, hasKV := f.Tag.Lookup("kv"); hasKV || err != nil {
		return t, err
	}
	text, ok := f.Tag.Lookup("json")
	name, options, _ := strings.Cut(text, ",")
	if !ok || name == "" || text == "-" || !f.IsExported() {
		return t, nil
	}
	t.name, t.set = name, true
	for option := range strings.SplitSeq(options, ",") {
		t.omitempty = t.omitempty || option == "omitempty" || option == "omitzero"
	}
	return t, nil
}
