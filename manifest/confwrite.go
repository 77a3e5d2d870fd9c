package manifest

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// WriteConf gives the configuration file for values that were evaluated: the settings that are active and have a value. The
// error is of type Violations when values are not valid.
//
// When old is empty a new file is made: settings in groups by their category, each below its name and description in the
// language lang (zh or en). Else old is changed in place: what has another value is set, what is not active is taken out, and
// every other byte stays, comments and settings that the manifest does not know included.
func (m *Manifest) WriteConf(old []byte, e *Evaluation, lang string) ([]byte, error) {
	if err := e.Err(); err != nil {
		return nil, err
	}
	if len(strings.TrimSpace(string(old))) == 0 {
		return []byte(newConf(e, lang)), nil
	}
	return m.editConf(old, e)
}

// newConf makes a file of its own.
func newConf(e *Evaluation, lang string) string {
	var b strings.Builder
	for _, category := range categoriesOf(e.Fields) {
		if category != "" {
			separate(&b)
			fmt.Fprintf(&b, "# ---- %s ----\n", oneLine(category))
		}
		for _, f := range e.Fields {
			if f.Item.Category != category || !f.written() {
				continue
			}
			separate(&b)
			writeComment(&b, f.Item, lang)
			b.WriteString(f.Item.Key + " =")
			if f.Value.Text != "" {
				b.WriteString(" " + f.Value.Text)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// written reports whether a setting has a line in the file.
func (f *Field) written() bool { return f.Active && f.Value.IsSet() }

// separate ends a group with an empty line.
func separate(b *strings.Builder) {
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
}

// categoriesOf gives the categories of the settings that are written, in the order of the manifest; what has none comes first.
func categoriesOf(fields []Field) []string {
	all := []string{""}
	seen := map[string]bool{"": true}
	for i := range fields {
		if c := fields[i].Item.Category; fields[i].written() && !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	return all
}

// writeComment writes the name, and the description when it says more.
func writeComment(b *strings.Builder, it *Item, lang string) {
	label, desc := oneLine(it.Label(lang)), strings.TrimSpace(it.Desc.In(lang))
	fmt.Fprintf(b, "# %s\n", label)
	if desc == label {
		return
	}
	for line := range strings.Lines(desc) {
		if line = oneLine(line); line != "" {
			fmt.Fprintf(b, "# %s\n", line)
		}
	}
}

// oneLine takes out what would end a comment or not be seen in it.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text))
}

// editConf changes a file in place.
func (m *Manifest) editConf(old []byte, e *Evaluation) ([]byte, error) {
	doc, err := kvconf.Parse(old)
	if err != nil {
		return nil, fmt.Errorf("edit config: %w", err)
	}
	names := make(map[string][]string) // by the key of the manifest, those in the file
	for _, name := range doc.Keys() {
		if it := m.find(name); it != nil {
			names[it.Key] = append(names[it.Key], name)
		}
	}
	for i := range e.Fields {
		f := &e.Fields[i]
		there := names[f.Item.Key]
		if !f.written() {
			for _, name := range there {
				doc.Delete(name)
			}
			continue
		}
		name := f.Item.Key
		if len(there) > 0 {
			name = there[len(there)-1]
		}
		if f.Item.means(doc, name, f.Value) {
			continue
		}
		if err := doc.Set(name, f.Value.Text); err != nil {
			return nil, fmt.Errorf("edit config: %w", err)
		}
	}
	return doc.Bytes(), nil
}

// means reports whether the file has the value already, perhaps written otherwise.
func (it *Item) means(doc *kvconf.Document, name string, want Value) bool {
	text, ok := doc.Get(name)
	if !ok {
		return false
	}
	if text == want.Text {
		return true
	}
	have, p := it.convert(confText(text))
	return p == nil && have.IsSet() && sameValue(have, want)
}
