package form

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/manifest"
)

// Dialect is the version of JSON Schema that is written.
const Dialect = "https://json-schema.org/draft/2020-12/schema"

// Schema gives the JSON Schema of the values that a manifest describes, with titles and descriptions in a language (zh, en).
//
// The sections of keys are nested objects. A setting that is not always active appears in a then, the condition under which
// it is in the if; what decides is the value, or the default when there is none. What a schema cannot say stands in keywords
// that start with x-: x-type, x-category, x-order, and x-min and x-max of sizes and durations.
func Schema(m *manifest.Manifest, lang string) ([]byte, error) {
	root := &object{}
	root.add("$schema", Dialect)
	root.add("type", "object")
	b := schemaBuilder{manifest: m, lang: lang}
	conditions := []*object{}
	for i, it := range m.Items {
		schema, err := b.item(it, i)
		if err != nil {
			return nil, err
		}
		into := root
		if it.When != nil {
			into = &object{}
		}
		b.place(into, it, schema)
		if it.When != nil {
			condition := &object{}
			condition.add("if", b.active(it))
			condition.add("then", into)
			conditions = append(conditions, condition)
		}
	}
	if len(conditions) > 0 {
		root.add("allOf", conditions)
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

type schemaBuilder struct {
	manifest *manifest.Manifest
	lang     string
}

// path gives the names of the objects that a setting is in, and its own. A key that is the section of another one makes the
// other stay in one piece.
func (b *schemaBuilder) path(it *manifest.Item) []string {
	parts := strings.Split(it.Key, ".")
	for i := 1; i < len(parts); i++ {
		if b.manifest.Item(strings.Join(parts[:i], ".")) != nil {
			return []string{it.Key}
		}
	}
	return parts
}

// place puts the schema of a setting into nested objects.
func (b *schemaBuilder) place(root *object, it *manifest.Item, schema *object) {
	path := b.path(it)
	mandatory := it.Required && !it.Default.IsSet()
	at := root
	for _, name := range path[:len(path)-1] {
		if mandatory {
			at.require(name)
		}
		next := at.child("properties").child(name)
		if len(*next) == 0 {
			next.add("type", "object")
		}
		at = next
	}
	name := path[len(path)-1]
	if mandatory {
		at.require(name)
	}
	at.child("properties").add(name, schema)
}

// require adds a name to the list of members that an object must have.
func (o *object) require(name string) {
	for i, m := range *o {
		if names, ok := m.value.([]string); ok && m.name == "required" {
			if slices.Contains(names, name) {
				return
			}
			(*o)[i].value = append(names, name)
			return
		}
	}
	o.add("required", []string{name})
}

// active gives the schema that holds when a setting is active: its condition and those of the settings that it depends on.
func (b *schemaBuilder) active(it *manifest.Item) *object {
	var all []*object
	seen := make(map[string]bool)
	for it != nil && it.When != nil && !seen[it.Key] {
		seen[it.Key] = true
		target := b.manifest.Item(it.When.Target)
		all = append(all, b.condition(it.When, target))
		it = target
	}
	if it != nil && it.When != nil {
		all = append(all, &object{{"not", &object{}}}) // a circle is never active
	}
	if len(all) == 1 {
		return all[0]
	}
	return &object{{"allOf", all}}
}

// condition gives the schema that holds when the target meets the condition. A target without a value counts as its default,
// so that it must be there only when the default does not meet the condition.
func (b *schemaBuilder) condition(when *manifest.Condition, target *manifest.Item) *object {
	leaf := &object{}
	if when.Equal != nil {
		leaf.add("const", *when.Equal)
	} else {
		leaf.add("type", "array")
		leaf.add("contains", &object{{"const", when.Contain}})
	}
	mustBe := !when.Holds(target.Default)
	path := b.path(target)
	for i := len(path) - 1; i >= 0; i-- {
		outer := &object{{"properties", &object{{path[i], leaf}}}}
		if mustBe {
			outer.add("required", []string{path[i]})
		}
		leaf = outer
	}
	return leaf
}

// item gives the schema of one setting.
func (b *schemaBuilder) item(it *manifest.Item, order int) (*object, error) {
	s := &object{}
	s.add("title", it.Label(b.lang))
	if desc := it.Desc.In(b.lang); desc != "" {
		s.add("description", desc)
	}
	if err := b.constraints(s, it); err != nil {
		return nil, err
	}
	if it.Default.IsSet() {
		s.add("default", defaultOf(it))
	}
	s.add("x-type", it.Type)
	if it.Category != "" {
		s.add("x-category", it.Category)
	}
	s.add("x-order", order)
	return s, nil
}

// defaultOf gives a default as JSON has it: sizes and durations are texts.
func defaultOf(it *manifest.Item) any {
	switch it.Type {
	case manifest.TypeBytes, manifest.TypeDuration:
		return it.Default.Text
	}
	return it.Default.Data
}

// Patterns of texts, those of Evaluate as far as a regular expression goes. ECMA-262 and Go read them alike.
const (
	bytesPattern    = `^ *[0-9.,]*[0-9][0-9.,]* *([KkMmGgTtPpEe]([Ii]?[Bb]|[Ii])?|[Bb])? *$`
	durationPattern = `^ *\+?(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+ *$`
	addressPattern  = `^ *(\[[0-9A-Fa-f:.]+(%[^\]]+)?\]|\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|[A-Za-z0-9_][A-Za-z0-9._-]*):[1-9][0-9]{0,4} *$`
	idPattern       = `^[^\s#"'\x00-\x1f\x7f-\x9f]([^\s#\x00-\x1f\x7f-\x9f]*)$`
	textPattern     = `^[^\s#"'\x00-\x1f\x7f-\x9f]([^#\x00-\x1f\x7f-\x9f]*[^\s#\x00-\x1f\x7f-\x9f])?$`
	memberPattern   = `^[^\s#,"'\x00-\x1f\x7f-\x9f]([^#,\x00-\x1f\x7f-\x9f]*[^\s#,\x00-\x1f\x7f-\x9f])?$`
	absolutePattern = `^(/|\\\\|[A-Za-z]:[\\/]|\$\{?[A-Za-z_]|%[^%]+%)`
)

func (b *schemaBuilder) constraints(s *object, it *manifest.Item) error {
	switch it.Type {
	case manifest.TypeBool:
		s.add("type", "boolean")
	case manifest.TypeInt:
		s.add("type", "integer")
		bounds(s, it, int64(math.MinInt64), int64(math.MaxInt64))
	case manifest.TypeUint:
		s.add("type", "integer")
		bounds(s, it, uint64(0), uint64(math.MaxUint64))
	case manifest.TypeFloat:
		s.add("type", "number")
		bounds(s, it, nil, nil)
	case manifest.TypeCSV:
		s.add("type", "array")
		members := &object{{"type", "string"}}
		if len(it.CSVValid) > 0 {
			members.add("enum", it.CSVValid)
		} else {
			members.add("pattern", memberPattern)
		}
		s.add("items", members)
		if it.Required && !it.Default.IsSet() {
			s.add("minItems", 1)
		}
		if it.Len > 0 {
			s.add("maxItems", it.Len)
		}
	default:
		s.add("type", "string")
		return texts(s, it)
	}
	return nil
}

// bounds adds the limits of a number, or those of its type.
func bounds(s *object, it *manifest.Item, least, most any) {
	if it.Min.IsSet() {
		least = it.Min.Data
	}
	if it.Max.IsSet() {
		most = it.Max.Data
	}
	if least != nil {
		s.add("minimum", least)
	}
	if most != nil {
		s.add("maximum", most)
	}
}

// texts adds the limits of what JSON has as a text.
func texts(s *object, it *manifest.Item) error {
	patterns := []string{}
	switch it.Type {
	case manifest.TypeEnum:
		if len(it.EnumValid) > 0 {
			s.add("enum", it.EnumValid)
		}
	case manifest.TypeAddress:
		patterns = append(patterns, addressPattern)
	case manifest.TypeUUID:
		patterns = append(patterns, idPattern)
	case manifest.TypeBytes:
		patterns = append(patterns, bytesPattern)
	case manifest.TypeDuration:
		patterns = append(patterns, durationPattern)
	default:
		patterns = append(patterns, textPattern)
		if it.AllowRelative != nil && !*it.AllowRelative {
			patterns = append(patterns, absolutePattern)
		}
	}
	if it.StrValid != "" {
		pattern, err := ecmaPattern(it.StrValid)
		if err != nil {
			return err
		}
		patterns = append(patterns, pattern)
	}
	if it.Required && !it.Default.IsSet() {
		s.add("minLength", 1)
	}
	if it.Len > 0 {
		s.add("maxLength", it.Len)
	}
	if !it.Required {
		for i, p := range patterns {
			patterns[i] = "^$|" + p // no value
		}
	}
	addPatterns(s, patterns)
	if it.Min.IsSet() {
		s.add("x-min", it.Min.Text)
	}
	if it.Max.IsSet() {
		s.add("x-max", it.Max.Text)
	}
	return nil
}

func addPatterns(s *object, patterns []string) {
	switch len(patterns) {
	case 0:
	case 1:
		s.add("pattern", patterns[0])
	default:
		all := make([]*object, len(patterns))
		for i, p := range patterns {
			all[i] = &object{{"pattern", p}}
		}
		s.add("allOf", all)
	}
}
