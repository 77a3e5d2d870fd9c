package logging_test

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// All that is wrong comes back at once, each with its field.
func TestInvalidConfig(t *testing.T) {
	_, err := logging.Open(logging.Config{
		Target: []string{"stdout", "syslog"}, Dir: "a\x00b", Size: -1, Rotate: -2, RotateBy: "moon", Age: -time.Hour,
		Format: "xml", Buffer: -1, Flush: -time.Second, Repeat: -1, Name: "a/b",
	})
	want := []string{
		`log.target: "syslog" is unknown: use stdout or file`,
		`log.rotate_by: "moon" is unknown: use size or date`,
		`log.format: "xml" is unknown: use text or json`,
		"log.size: -1 is negative",
		"log.rotate: -2 is negative",
		"log.age: -1h0m0s is negative",
		"log.buffer: -1 is negative",
		"log.flush: -1s is negative",
		"log.repeat: -1ns is negative",
		`log.name: "a/b" holds a character that a file name cannot have`,
		`log.dir: "a\x00b" holds a NUL`,
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("got:\n%v\nwant:\n%s", err, strings.Join(want, "\n"))
	}
	var field *logging.FieldError
	if !errors.As(err, &field) || field.Field != "target" {
		t.Errorf("first field: %v", field)
	}
}

// What a configuration file may hold for "not set" is the default, and values are taken in any case.
func TestUnsetConfig(t *testing.T) {
	for name, cfg := range map[string]logging.Config{
		"zero":        {},
		"blank":       {Target: []string{"", " "}, Format: " ", RotateBy: ""},
		"capitals":    {Target: []string{"STDOUT", " File "}, Format: "JSON", RotateBy: "Date"},
		"large":       {Buffer: 64 << 20, Size: 1 << 40, Rotate: 1000},
		"other names": {Name: "日志-agent_2026"},
	} {
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A name that cannot be a file's on every system, or that would mix up two logs in a folder, is refused at the start.
func TestInvalidNames(t *testing.T) {
	for _, name := range []string{
		"a/b", `a\b`, "..", ".hidden", " a", "a\nb", "a\x1b[31m", "a\u202eb", "\xff", "a:b", "a*", strings.Repeat("x", 201),
		"agent_20261120",
	} {
		var field *logging.FieldError
		if err := (logging.Config{Name: name}).Validate(); !errors.As(err, &field) || field.Field != "name" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Every field is either a setting with a key and a description, or expressly none.
func TestConfigTags(t *testing.T) {
	keys := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[logging.Config]()) {
		tag := f.Tag.Get("kv")
		if !f.IsExported() || tag == "-" {
			continue
		}
		key, _, _ := strings.Cut(tag, ",")
		if key == "" || keys[key] || f.Tag.Get("desc") == "" {
			t.Errorf("%s: kv:%q desc:%q", f.Name, tag, f.Tag.Get("desc"))
		}
		keys[key] = true
	}
	for _, key := range []string{"target", "dir", "size", "rotate", "level", "format"} {
		if !keys[key] {
			t.Errorf("no field for %s", key)
		}
	}
}

// The level of a file is read in any case.
func TestLevelText(t *testing.T) {
	var cfg logging.Config
	for text, want := range map[string]slog.Level{
		"debug": slog.LevelDebug, "Info": slog.LevelInfo, "WARN": slog.LevelWarn, "error": slog.LevelError,
	} {
		if err := cfg.Level.UnmarshalText([]byte(text)); err != nil || cfg.Level != want {
			t.Errorf("%s: %v, %v", text, cfg.Level, err)
		}
	}
}
