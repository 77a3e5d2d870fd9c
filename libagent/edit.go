package libagent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/kvconf"
	"gopkg.in/yaml.v3"
)

// writeSetting writes one setting into a config file, in place: every other byte of it stays, comments too.
func writeSetting(file, key, value string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	edited, err := setInText(file, data, key, value)
	if err != nil {
		return err
	}
	return kvconf.WriteFile(file, edited)
}

// setInText sets a setting in the text of a config file, of the kind that the name of the file says.
func setInText(file string, data []byte, key, value string) ([]byte, error) {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml":
		return setInYAML(data, key, value)
	case ".json":
		return setInJSON(data, key, value)
	}
	doc, err := kvconf.Parse(data)
	if err != nil {
		return nil, err
	}
	if err := doc.Set(key, value); err != nil {
		return nil, err
	}
	return doc.Bytes(), nil
}

// setInYAML sets a setting in the text of a YAML file.
func setInYAML(data []byte, key, value string) ([]byte, error) {
	root, err := yamlRoot(data)
	if err != nil {
		return nil, err
	}
	if root == nil || root.Kind != yaml.MappingNode || len(root.Content) == 0 {
		return nil, errors.New("the file holds no mapping of keys to values")
	}
	text, err := json.Marshal(value) // a JSON string is a YAML string too
	if err != nil {
		return nil, err
	}
	from, to, insert := 0, 0, ""
	parent, rest, k, v := find(root, key)
	switch {
	case v == nil:
		from = offset(data, parent.Content[0])
		if parent.Style != yaml.FlowStyle {
			from = aboveComments(data, from)
		}
		to = from
		insert = fmt.Sprintf("%q: %s, ", rest, text)
		if parent.Style != yaml.FlowStyle {
			insert = fmt.Sprintf("%s%s: %s\n", strings.Repeat(" ", parent.Content[0].Column-1), rest, text)
		}
	case v.Tag == "!!null" && v.Value == "":
		end := offset(data, k) + scalarLen(data[offset(data, k):], k)
		colon := bytes.IndexByte(data[end:], ':')
		if colon < 0 {
			return nil, fmt.Errorf("%s has no value to be replaced", key)
		}
		from = end + colon + 1
		to, insert = from, " "+string(text)
	default:
		from = offset(data, v)
		to, insert = from+scalarLen(data[from:], v), string(text)
	}
	edited := append(append(append([]byte(nil), data[:from]...), insert...), data[to:]...)
	entries, err := yamlEntries(edited)
	if err != nil {
		return nil, err
	}
	return edited, verify(entries, key, value)
}

// verify looks at the settings of an edited file: if they are not as they should be, the file was not understood.
func verify(entries []kvconf.Entry, key, value string) error {
	for _, e := range entries {
		if e.Key == key && e.Value == value {
			return nil
		}
	}
	return fmt.Errorf("%s cannot be edited in this file", key)
}

// find returns the nodes of a setting, or the innermost mapping that it belongs into and what is left of its key there.
func find(m *yaml.Node, key string) (parent *yaml.Node, rest string, k, v *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		k, v := m.Content[i], m.Content[i+1]
		if k.Value == key {
			return m, key, k, v
		}
		if below, ok := strings.CutPrefix(key, k.Value+"."); ok && v.Kind == yaml.MappingNode && len(v.Content) > 0 {
			return find(v, below)
		}
	}
	return m, key, nil, nil
}

// aboveComments returns the beginning of the line of an offset, or that of the comments right above it, which belong to
// what stands there, unless the file begins with them.
func aboveComments(data []byte, at int) int {
	line := bytes.LastIndexByte(data[:at], '\n') + 1
	for first := line; first > 0; {
		before := bytes.LastIndexByte(data[:first-1], '\n') + 1
		if !bytes.HasPrefix(bytes.TrimLeft(data[before:first], " \t"), []byte("#")) {
			return first
		}
		first = before
	}
	return line
}

// offset returns where a node begins, in bytes.
func offset(data []byte, n *yaml.Node) int {
	at := 0
	for range n.Line - 1 {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return len(data)
		}
		at += i + 1
	}
	for range n.Column - 1 { // columns are characters
		_, size := utf8.DecodeRune(data[at:])
		at += size
	}
	return at
}

// scalarLen returns how many bytes a scalar takes in the text that begins with it.
func scalarLen(text []byte, n *yaml.Node) int {
	if len(text) == 0 {
		return 0
	}
	switch quote := text[0]; quote {
	case '"', '\'':
		for i := 1; i < len(text); i++ {
			switch {
			case quote == '"' && text[i] == '\\':
				i++
			case quote == '\'' && text[i] == quote && i+1 < len(text) && text[i+1] == quote:
				i++
			case text[i] == quote:
				return i + 1
			}
		}
		return len(text)
	}
	return min(len(n.Value), len(text))
}
