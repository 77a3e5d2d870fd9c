package libagent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// member is one member of an object of a JSON file, with where it stands in bytes.
type member struct {
	key        string
	start, end int      // of the value
	object     []member // the members of the value, if that is an object
	open       int      // where the object's members begin
}

// jsonMembers parses a JSON file, which holds one object.
func jsonMembers(data []byte) (root member, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var all any
	if err := json.Unmarshal(data, &all); err != nil { // it knows the place better than the tokens do
		return root, placed(data, d, err)
	}
	if root, err = jsonValue(d, data, 0); err != nil {
		return root, placed(data, d, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return root, placed(data, d, errors.New("there is more after the object"))
	}
	if root.open == 0 {
		return root, placed(data, d, errors.New("the file holds no object of keys and values"))
	}
	return root, nil
}

// maxJSONDepth bounds how deep objects may be nested in a config.
const maxJSONDepth = 32

// jsonValue parses the next value.
func jsonValue(d *json.Decoder, data []byte, depth int) (m member, err error) {
	if depth > maxJSONDepth {
		return m, fmt.Errorf("nested deeper than %d", maxJSONDepth)
	}
	m.start = int(d.InputOffset())
	m.start += len(data[m.start:]) - len(bytes.TrimLeft(data[m.start:], " \t\r\n:,"))
	if m.start >= len(data) || data[m.start] != '{' {
		var skipped json.RawMessage
		err = d.Decode(&skipped)
		m.end = int(d.InputOffset())
		return m, err
	}
	if _, err := d.Token(); err != nil {
		return m, err
	}
	m.open = int(d.InputOffset())
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return m, err
		}
		v, err := jsonValue(d, data, depth+1)
		if err != nil {
			return m, err
		}
		v.key, _ = key.(string)
		m.object = append(m.object, v)
	}
	_, err = d.Token()
	m.end = int(d.InputOffset())
	return m, err
}

// placed gives an error of JSON its place.
func placed(data []byte, d *json.Decoder, err error) error {
	at := d.InputOffset() + 1
	var se *json.SyntaxError
	if errors.As(err, &se) {
		at = se.Offset
	}
	line, col := position(data, at)
	return &kvconf.Error{Line: line, Column: col, Kind: kvconf.ErrSyntax, Msg: err.Error(), Err: err}
}

// position returns line and column, from 1, of the byte before an offset.
func position(data []byte, offset int64) (line, col int) {
	before := data[:max(min(int(offset), len(data)), 1)-1]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, 1 + len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:])))
}

// jsonEntries flattens a JSON file into settings with their places.
func jsonEntries(data []byte) ([]kvconf.Entry, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	root, err := jsonMembers(data)
	if err != nil {
		return nil, err
	}
	var entries []kvconf.Entry
	err = flattenJSON(&entries, data, "", root)
	return entries, err
}

func flattenJSON(entries *[]kvconf.Entry, data []byte, prefix string, m member) error {
	for _, v := range m.object {
		if v.open > 0 {
			if err := flattenJSON(entries, data, prefix+v.key+".", v); err != nil {
				return err
			}
			continue
		}
		e := kvconf.Entry{Key: prefix + v.key}
		e.Line, e.Column = position(data, int64(v.start)+1)
		raw := data[v.start:v.end]
		switch raw[0] {
		case '"':
			if err := json.Unmarshal(raw, &e.Value); err != nil {
				return err
			}
			e.Quoted = true
		case 'n': // null
		default:
			e.Value = string(raw)
		}
		*entries = append(*entries, e)
	}
	return nil
}

// setInJSON sets a setting in the text of a JSON file.
func setInJSON(data []byte, key, value string) ([]byte, error) {
	root, err := jsonMembers(data)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	parent, rest, found := findJSON(root, key)
	from, to := parent.start, parent.end
	if !found {
		from, to = parent.open, parent.open
		name, err := json.Marshal(rest)
		if err != nil {
			return nil, err
		}
		end := ""
		if len(parent.object) > 0 {
			// Where its members stand on lines of their own, so does this one.
			blanks := data[from:]
			blanks = blanks[:len(blanks)-len(bytes.TrimLeft(blanks, " \t\r\n"))]
			end = "," + string(blanks)
			if len(blanks) == 0 {
				end = ", "
			}
			from, to = from+len(blanks), from+len(blanks)
		}
		text = append(append(append(name, ": "...), text...), end...)
	}
	edited := bytes.Join([][]byte{data[:from], text, data[to:]}, nil)
	entries, err := jsonEntries(edited)
	if err != nil {
		return nil, err
	}
	return edited, verify(entries, key, value)
}

// findJSON returns the member of a setting, or the innermost object that it belongs into and what is left of its key there.
func findJSON(m member, key string) (found member, rest string, ok bool) {
	for _, v := range m.object {
		if v.key == key && v.open == 0 {
			return v, key, true
		}
		if below, ok := strings.CutPrefix(key, v.key+"."); ok && v.open > 0 {
			return findJSON(v, below)
		}
	}
	return m, key, false
}
