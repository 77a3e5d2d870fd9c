package kvconf_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	burnt "github.com/BurntSushi/toml"
	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/magiconair/properties"
	gotoml "github.com/pelletier/go-toml/v2"
	"gopkg.in/ini.v1"
	"gopkg.in/yaml.v3"
)

// A peer does the four jobs in its own form. A job that it does not do is nil. A peer that knows no durations uses plain
// text for them.
type peer struct {
	name   string
	text   string                                              // the 25 settings
	decode func(data []byte) (any, error)                      // text into a conf
	encode func(c *conf[time.Duration]) func() ([]byte, error) // a conf to text
	pairs  func() []byte                                       // the 10,000 settings
	toMap  func(data []byte) (map[string]string, error)
	// rewrite gives text with another value for basic.id.
	rewrite func(data []byte, id string) ([]byte, error)
}

const rewritten = "agent-20261121-00f15c049c34af41"

func peers() []peer {
	return []peer{
		{"switch by hand", kvText, decodeByHand, encodeByHand, kvPairs, mapByHand, rewriteByHand},
		{"jkframe/kvconf", kvText, decodeOurs, encodeOurs, kvPairs, mapOurs, rewriteOurs},
		{"encoding/json", jsonText(), decodeJSON, encodeJSON, jsonPairs, mapJSON, rewriteJSON},
		{"go-toml/v2", tomlText, decodeGoTOML, encodeGoTOML, tomlPairs, mapGoTOML, rewriteGoTOML},
		{"BurntSushi/toml", tomlText, decodeBurnt, encodeBurnt, tomlPairs, mapBurnt, rewriteBurnt},
		{"magiconair/properties", propertiesText, decodeProperties, encodeProperties, kvPairs, mapProperties, rewriteProperties},
		{"ini.v1", iniText, decodeINI, encodeINI, kvPairs, mapINI, rewriteINI},
		{"yaml.v3", yamlText, decodeYAML, encodeYAML, yamlPairs, mapYAML, rewriteYAML},
	}
}

func decodeOurs(data []byte) (any, error) {
	var c conf[time.Duration]
	err := kvconf.Unmarshal(data, &c)
	return &c, err
}

func encodeOurs(c *conf[time.Duration]) func() ([]byte, error) {
	return func() ([]byte, error) {
		return kvconf.Marshal(c)
	}
}

func mapOurs(data []byte) (map[string]string, error) {
	var m map[string]string
	err := kvconf.Unmarshal(data, &m)
	return m, err
}

func rewriteOurs(data []byte, id string) ([]byte, error) {
	doc, err := kvconf.Parse(data)
	if err != nil {
		return nil, err
	}
	if err := doc.Set("basic.id", id); err != nil {
		return nil, err
	}
	return doc.Bytes(), nil
}

func jsonText() string {
	c := want[textDuration]()
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		panic(err)
	}
	return string(text)
}

func decodeJSON(data []byte) (any, error) {
	var c conf[textDuration]
	err := json.Unmarshal(data, &c)
	return &c, err
}

func encodeJSON(*conf[time.Duration]) func() ([]byte, error) {
	c := want[textDuration]()
	return func() ([]byte, error) {
		return json.MarshalIndent(&c, "", "  ")
	}
}

func mapJSON(data []byte) (map[string]string, error) {
	var m map[string]string
	err := json.Unmarshal(data, &m)
	return m, err
}

// rewriteJSON keeps neither order nor form.
func rewriteJSON(data []byte, id string) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	m["basic"].(map[string]any)["id"] = id
	return json.MarshalIndent(m, "", "  ")
}

func decodeGoTOML(data []byte) (any, error) {
	var c conf[textDuration]
	err := gotoml.Unmarshal(data, &c)
	return &c, err
}

func encodeGoTOML(*conf[time.Duration]) func() ([]byte, error) {
	c := want[textDuration]()
	return func() ([]byte, error) {
		return gotoml.Marshal(&c)
	}
}

func mapGoTOML(data []byte) (map[string]string, error) {
	var m map[string]string
	err := gotoml.Unmarshal(data, &m)
	return m, err
}

// rewriteGoTOML loses the comments.
func rewriteGoTOML(data []byte, id string) ([]byte, error) {
	var m map[string]any
	if err := gotoml.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	m["basic"].(map[string]any)["id"] = id
	return gotoml.Marshal(m)
}

func decodeBurnt(data []byte) (any, error) {
	var c conf[time.Duration]
	err := burnt.Unmarshal(data, &c)
	return &c, err
}

func encodeBurnt(c *conf[time.Duration]) func() ([]byte, error) {
	return func() ([]byte, error) {
		return burnt.Marshal(c)
	}
}

func mapBurnt(data []byte) (map[string]string, error) {
	var m map[string]string
	err := burnt.Unmarshal(data, &m)
	return m, err
}

// rewriteBurnt loses the comments.
func rewriteBurnt(data []byte, id string) ([]byte, error) {
	var m map[string]any
	if err := burnt.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	m["basic"].(map[string]any)["id"] = id
	return burnt.Marshal(m)
}

func loadProperties(data []byte) (*properties.Properties, error) {
	l := properties.Loader{Encoding: properties.UTF8, DisableExpansion: true}
	return l.LoadBytes(data)
}

func decodeProperties(data []byte) (any, error) {
	var c conf[time.Duration]
	p, err := loadProperties(data)
	if err != nil {
		return nil, err
	}
	err = p.Decode(&c)
	return &c, err
}

// encodeProperties starts from the loaded settings, since this peer does not encode structs.
func encodeProperties(*conf[time.Duration]) func() ([]byte, error) {
	p, err := loadProperties([]byte(propertiesText))
	if err != nil {
		panic(err)
	}
	return func() ([]byte, error) {
		var b bytes.Buffer
		_, err := p.WriteComment(&b, "# ", properties.UTF8)
		return b.Bytes(), err
	}
}

func mapProperties(data []byte) (map[string]string, error) {
	p, err := loadProperties(data)
	if err != nil {
		return nil, err
	}
	return p.Map(), nil
}

func rewriteProperties(data []byte, id string) ([]byte, error) {
	p, err := loadProperties(data)
	if err != nil {
		return nil, err
	}
	if _, _, err := p.Set("basic.id", id); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = p.WriteComment(&b, "# ", properties.UTF8)
	return b.Bytes(), err
}

func decodeINI(data []byte) (any, error) {
	var c conf[time.Duration]
	f, err := ini.Load(data)
	if err != nil {
		return nil, err
	}
	err = f.StrictMapTo(&c)
	return &c, err
}

func encodeINI(c *conf[time.Duration]) func() ([]byte, error) {
	return func() ([]byte, error) {
		f := ini.Empty()
		if err := f.ReflectFrom(c); err != nil {
			return nil, err
		}
		var b bytes.Buffer
		_, err := f.WriteTo(&b)
		return b.Bytes(), err
	}
}

func mapINI(data []byte) (map[string]string, error) {
	f, err := ini.Load(data)
	if err != nil {
		return nil, err
	}
	return f.Section("").KeysHash(), nil
}

func rewriteINI(data []byte, id string) ([]byte, error) {
	f, err := ini.Load(data)
	if err != nil {
		return nil, err
	}
	f.Section("basic").Key("id").SetValue(id)
	var b bytes.Buffer
	_, err = f.WriteTo(&b)
	return b.Bytes(), err
}

func decodeYAML(data []byte) (any, error) {
	var c conf[time.Duration]
	err := yaml.Unmarshal(data, &c)
	return &c, err
}

func encodeYAML(c *conf[time.Duration]) func() ([]byte, error) {
	return func() ([]byte, error) {
		return yaml.Marshal(c)
	}
}

func mapYAML(data []byte) (map[string]string, error) {
	var m map[string]string
	err := yaml.Unmarshal(data, &m)
	return m, err
}

func rewriteYAML(data []byte, id string) ([]byte, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(data, &root); err != nil {
		return nil, err
	}
	basic := root.Content[0].Content[1]
	basic.Content[1].Value = id
	return yaml.Marshal(&root)
}

// pairs gives 10,000 settings, in which sep stands between key and value.
func pairs(start, sep, quote, between, end string) []byte {
	var b strings.Builder
	b.WriteString(start)
	for i := range many {
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(quote + pairKey(i) + quote + sep + quote + pairValue(i) + quote)
	}
	b.WriteString(end)
	return []byte(b.String())
}

func kvPairs() []byte   { return pairs("", " = ", "", "\n", "\n") }
func jsonPairs() []byte { return pairs("{\n", ": ", `"`, ",\n", "\n}\n") }
func yamlPairs() []byte { return pairs("", ": ", "", "\n", "\n") }
func tomlPairs() []byte {
	var b strings.Builder
	for i := range many {
		b.WriteString(`"` + pairKey(i) + `" = "` + pairValue(i) + "\"\n")
	}
	return []byte(b.String())
}
