package main

import (
	"errors"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/manifest"
)

// advanced are settings that a form does not show: who needs them writes them into the file.
func advanced() []string {
	return []string{
		"basic.reconnect.spread", "basic.redirect.allow", "basic.outbox.memory",
		"basic.log.rotate_by", "basic.log.age", "basic.log.compress", "basic.log.source", "basic.log.buffer", "basic.log.flush", "basic.log.repeat",
	}
}

var errStop = errors.New("that was all")

// stopping is the agent up to the point where its config is complete.
type stopping struct{ app }

func (stopping) Setup(*libagent.Agent) error { return errStop }

// defaults gives the config of an agent whose file says nothing but where the server is.
func defaults(t *testing.T) *conf {
	t.Helper()
	c := app{}.NewConfig().(*conf)
	c.Server = []string{"127.0.0.1:13081"}
	if err := libagent.Run(t.Context(), stopping{}, &libagent.Options{Config: c, Logger: slog.New(slog.DiscardHandler)}); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	return c
}

func readManifest(t *testing.T) *manifest.Manifest {
	t.Helper()
	data, err := os.ReadFile("conf/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range manifest.Check(data, nil).Findings {
		t.Errorf("conf/manifest.yaml:%s", f.String())
	}
	m, err := manifest.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// field is a setting of the struct.
type field struct {
	typ   reflect.Type
	bytes bool
	value reflect.Value
}

// fields gives the settings of a struct by their keys.
func fields(into map[string]field, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("kv"), ",")
		if name == "-" || name == "" {
			continue
		}
		if f.Type.Kind() == reflect.Struct {
			fields(into, prefix+name+".", v.Field(i))
			continue
		}
		into[prefix+name] = field{f.Type, slices.Contains(strings.Split(options, ","), "bytes"), v.Field(i)}
	}
}

// types gives the types of a manifest that a setting of the struct may have.
func (f field) types() []manifest.Type {
	typ := f.typ
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch {
	case typ == reflect.TypeFor[time.Duration]():
		return []manifest.Type{manifest.TypeDuration}
	case f.bytes:
		return []manifest.Type{manifest.TypeBytes}
	case typ == reflect.TypeFor[slog.Level]():
		return []manifest.Type{manifest.TypeEnum}
	}
	switch typ.Kind() {
	case reflect.Bool:
		return []manifest.Type{manifest.TypeBool}
	case reflect.Int, reflect.Int64:
		return []manifest.Type{manifest.TypeInt, manifest.TypeUint}
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Struct {
			return []manifest.Type{manifest.TypeString} // JSON
		}
		return []manifest.Type{manifest.TypeCSV}
	case reflect.String:
		return []manifest.Type{manifest.TypeString, manifest.TypeEnum, manifest.TypePath, manifest.TypeUUID, manifest.TypeAddress}
	}
	return nil
}

// A setting that is added to the struct is added to the form as well, with the type that it has, or is kept out of it on purpose.
func TestManifestHasTheSettingsOfTheStruct(t *testing.T) {
	m := readManifest(t)
	settings := make(map[string]field)
	fields(settings, "", reflect.ValueOf(*defaults(t)))
	for key, f := range settings {
		it := m.Item(key)
		switch {
		case it == nil && !slices.Contains(advanced(), key):
			t.Errorf("%s is in the struct and not in the manifest", key)
		case it != nil && !slices.Contains(f.types(), it.Type):
			t.Errorf("%s is a %v in the struct and of type %s in the manifest", key, f.typ, it.Type)
		}
	}
	for _, it := range m.Items {
		if _, ok := settings[it.Key]; !ok {
			t.Errorf("%s is in the manifest and not in the struct", it.Key)
		}
	}
	for _, key := range advanced() {
		if _, ok := settings[key]; !ok || m.Item(key) != nil {
			t.Errorf("%s is no setting that only the struct has", key)
		}
	}
}

// What a form shows as the default is what the agent does when the file does not say.
func TestManifestHasTheDefaultsOfTheStruct(t *testing.T) {
	m := readManifest(t)
	c := defaults(t)
	text, err := kvconf.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	settings := make(map[string]field)
	fields(settings, "", reflect.ValueOf(*c))
	for _, f := range m.ParseConf(text, nil).Findings {
		if s, ok := settings[f.Key]; ok && !s.value.IsZero() && m.Item(f.Key) != nil {
			t.Errorf("%s: %s", f.Key, f.Message.EN)
		}
	}
}

// The file that is shipped is one that the form would make: all its settings are known, valid and at their defaults, those that
// are commented out included.
func TestManifestFitsTheFile(t *testing.T) {
	m := readManifest(t)
	shipped, err := os.ReadFile("conf/agent.conf")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.ParseConf(shipped, nil).Findings {
		t.Errorf("conf/agent.conf:%s", f.String())
	}
	var all strings.Builder
	for line := range strings.Lines(string(shipped)) {
		if key, _, ok := strings.Cut(strings.TrimPrefix(line, "# "), " ="); ok && m.Item(key) != nil {
			line = strings.TrimPrefix(line, "# ")
		}
		all.WriteString(line)
	}
	for _, f := range m.ParseConf([]byte(all.String()), nil).Findings {
		t.Errorf("conf/agent.conf with its comments as settings:%s", f.String())
	}
	doc, err := kvconf.Parse([]byte(all.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range m.Items {
		if _, ok := doc.Get(it.Key); !ok {
			t.Errorf("%s is in the manifest and not in conf/agent.conf, not even as a comment", it.Key)
		}
	}
}

// The file that a form makes is one that the agent reads, to the last setting.
func TestAgentReadsWhatTheFormMakes(t *testing.T) {
	m := readManifest(t)
	text, err := m.WriteConf(nil, m.Evaluate(nil), "en")
	if err != nil {
		t.Fatal(err)
	}
	var c conf
	if err := kvconf.Unmarshal(text, &c); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	if !slices.Equal(c.Server, []string{"127.0.0.1:13081"}) || c.Log.Size != 10_000_000 || c.Greeting != "hello" {
		t.Errorf("got %+v from\n%s", c, text)
	}
}
