package libagent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jkstack/jkframe/v2/kvconf"
	"gopkg.in/yaml.v3"
)

// yamlEntries flattens a YAML file into settings with their places.
func yamlEntries(data []byte) ([]kvconf.Entry, error) {
	root, err := yamlRoot(data)
	if err != nil || root == nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode {
		return nil, at(root, "", "the file holds no mapping of keys to values")
	}
	var entries []kvconf.Entry
	err = flatten(&entries, "", root)
	return entries, err
}

// yamlRoot returns the root of the one document of a file, nil if that is empty.
func yamlRoot(data []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	if doc.Content[0].Tag == "!!null" {
		return nil, nil
	}
	return doc.Content[0], nil
}

func at(n *yaml.Node, key, format string, args ...any) error {
	return &kvconf.Error{Line: n.Line, Column: n.Column, Key: key, Kind: kvconf.ErrSyntax, Msg: fmt.Sprintf(format, args...)}
}

// flatten appends the settings below a mapping.
func flatten(entries *[]kvconf.Entry, prefix string, m *yaml.Node) error {
	for i := 0; i+1 < len(m.Content); i += 2 {
		k, v := m.Content[i], m.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			return at(k, strings.TrimSuffix(prefix, "."), "a key is a word")
		}
		key := prefix + k.Value
		value := ""
		switch {
		case v.Kind == yaml.AliasNode || k.Tag == "!!merge":
			return at(v, key, "aliases are not for config files")
		case v.Kind == yaml.MappingNode:
			if err := flatten(entries, key+".", v); err != nil {
				return err
			}
			continue
		case v.Kind == yaml.SequenceNode:
			var err error
			if value, err = list(key, v); err != nil {
				return err
			}
		case v.Tag != "!!null":
			value = v.Value
		}
		*entries = append(*entries, kvconf.Entry{
			Key: key, Value: value, Line: v.Line, Column: v.Column, KeyColumn: k.Column,
			Quoted: v.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0,
		})
	}
	return nil
}

// list returns a sequence as the value of a setting: members joined by commas, or JSON where that would not do.
func list(key string, n *yaml.Node) (string, error) {
	var members []string
	for _, m := range n.Content {
		if m.Kind != yaml.ScalarNode || strings.Contains(m.Value, ",") {
			var v any
			if err := n.Decode(&v); err != nil {
				return "", at(n, key, "%v", err)
			}
			b, err := json.Marshal(v)
			if err != nil {
				return "", at(n, key, "%v", err)
			}
			return string(b), nil
		}
		members = append(members, m.Value)
	}
	return strings.Join(members, ","), nil
}
