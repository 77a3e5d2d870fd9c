package manifest

import (
	"regexp"
	"slices"
)

// Type is the type of a setting.
type Type string

// The types.
const (
	TypeString   Type = "string"
	TypeEnum     Type = "enum"
	TypeCSV      Type = "csv"
	TypeInt      Type = "int"
	TypeUint     Type = "uint"
	TypeFloat    Type = "float"
	TypeBool     Type = "bool"
	TypeAddress  Type = "naddr"
	TypePath     Type = "path"
	TypeBytes    Type = "bytes"
	TypeDuration Type = "duration"
	TypeUUID     Type = "uuid"
)

// Types gives all types, in the order in which the format describes them.
func Types() []Type {
	return []Type{TypeString, TypeEnum, TypeCSV, TypeInt, TypeUint, TypeFloat, TypeBool, TypeAddress, TypePath, TypeBytes, TypeDuration, TypeUUID}
}

func (t Type) known() bool { return slices.Contains(Types(), t) }

// A Manifest describes the settings of an agent. It never changes.
type Manifest struct {
	Items []*Item // in the order of the file, those without a usable key left out

	byKey map[string]*Item
}

// Item finds a setting by its key; nil when there is none.
func (m *Manifest) Item(key string) *Item { return m.byKey[key] }

// An Item describes one setting. What the manifest gets wrong is left out of it.
type Item struct {
	Key      string
	Type     Type // empty when it is missing or not known
	Name     Texts
	Desc     Texts
	Category string
	Required bool

	Default Value // Data is nil when there is none

	EnumValid []string // of an enum
	CSVValid  []string // of a csv; empty: any member is allowed
	StrValid  string   // of a string: the whole value matches this regular expression
	Min, Max  Value    // of int, uint, float, bytes and duration
	Len       int64    // characters of string and path, members of csv; 0: any number

	// AllowRelative says whether a path may be relative; nil when the manifest does not say.
	AllowRelative *bool

	// When is the condition under which the setting is active; nil: it always is.
	When *Condition

	Line, Column int // of the value of key in the manifest

	pattern *regexp.Regexp  // of StrValid, nil when there is none
	valid   map[string]bool // the members of EnumValid or CSVValid, nil when any value is allowed
}

// A Condition compares another setting.
type Condition struct {
	Target  string // the key of that setting
	Contain string // for a csv: it has this member
	Equal   *bool  // for a bool: it has this value; nil: Contain counts
}

// A Value is a value of a setting, and its text in a configuration file.
type Value struct {
	// Data is a string for string, enum, naddr, path and uuid, a []string for csv, an int64, a uint64 (uint and bytes), a
	// float64, a bool, or a time.Duration; nil when there is no value.
	Data any
	Text string
}

// IsSet reports whether there is a value.
func (v Value) IsSet() bool { return v.Data != nil }

// Texts is a text in the languages that it has: English and Chinese, each empty when it is missing, and others.
type Texts struct {
	Text
	Others map[string]string // by language, such as zh-TW; nil when there are none
}

// In gives the text in a language, in Chinese when there is none in that language; empty when there is neither.
func (t *Texts) In(lang string) string {
	text := t.Others[lang]
	if lang == "en" {
		text = t.EN
	}
	if text == "" {
		return t.ZH
	}
	return text
}

// set keeps the text of a language.
func (t *Texts) set(lang, text string) {
	switch lang {
	case "zh":
		t.ZH = text
	case "en":
		t.EN = text
	default:
		if t.Others == nil {
			t.Others = make(map[string]string)
		}
		t.Others[lang] = text
	}
}

// Label gives the name of the setting in a language, see Texts.In, or its key when it has none.
func (it *Item) Label(lang string) string {
	if name := it.Name.In(lang); name != "" {
		return name
	}
	return it.Key
}
