package doccheck

import (
	"reflect"
	"strings"
)

// Setting is one key of a configuration file, as a table of it says or as the struct does that it is decoded into.
type Setting struct {
	Key     string // with the names of its sections: basic.log.size
	Type    string // as the documents call it: text, boolean, integer, duration, size, list, JSON
	Default string // "" when the table gives none in code
	Expands bool   // $NAME is replaced
}

// Settings reads the table below a heading whose first column is key, type and default the next. The prefix is put before
// every key.
func Settings(doc, heading, prefix string) []Setting {
	var all []Setting
	for _, t := range Tables(doc) {
		if t.Heading != heading || t.Head[0] != "key" {
			continue
		}
		for _, row := range t.Rows {
			key, mark, _ := strings.Cut(row[0], " ")
			all = append(all, Setting{
				Key: prefix + strings.Trim(key, "`"), Type: row[1], Default: strings.Trim(row[2], "`"), Expands: mark == "**$**",
			})
		}
	}
	return all
}

// SettingsOf lists the keys of a struct by its kv tags, in the order of its fields.
func SettingsOf(t reflect.Type) []Setting { return settingsOf(nil, t, "") }

func settingsOf(all []Setting, t reflect.Type, prefix string) []Setting {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("kv")
		if tag == "" || tag == "-" {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		kind := typeName(f.Type, options)
		if kind == "section" {
			all = settingsOf(all, f.Type, prefix+name+".")
			continue
		}
		all = append(all, Setting{Key: prefix + name, Type: kind, Expands: strings.Contains(options, "expand")})
	}
	return all
}

// typeName is what the documents call the type of a setting.
func typeName(t reflect.Type, options string) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	_, isText := reflect.PointerTo(t).MethodByName("UnmarshalText")
	switch {
	case strings.Contains(options, "bytes"):
		return "size"
	case isText:
		return "text"
	case t.PkgPath() == "time" && t.Name() == "Duration":
		return "duration"
	}
	switch t.Kind() {
	case reflect.Struct:
		return "section"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "text"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "JSON"
		}
		return "list"
	default:
		return "integer"
	}
}
