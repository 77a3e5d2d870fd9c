package manifestcheck

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

// The files of an example.
const (
	manifestFile = "conf/manifest.yaml"
	confFile     = "conf/agent.conf"
)

// Run checks the agent of the working directory. Advanced are settings that a form does not show: who needs them writes them
// into the file.
func Run(t *testing.T, app libagent.App, advanced ...string) {
	c := check{app: app, advanced: advanced, settings: make(map[string]field)}
	c.readManifest(t)
	c.defaults = defaults(t, app)
	c.addFields("", reflect.ValueOf(c.defaults).Elem())
	t.Run("the manifest has the settings of the struct", c.settingsOfStruct)
	t.Run("the manifest has the defaults of the struct", c.defaultsOfStruct)
	t.Run("the manifest fits the file", c.fitsFile)
	t.Run("the agent reads what the form makes", c.readsForm)
}

type check struct {
	app      libagent.App
	advanced []string
	manifest *manifest.Manifest
	defaults libagent.Settings
	settings map[string]field
}

var errStop = errors.New("that was all")

// stopping is an agent up to the point where its config is complete.
type stopping struct{ libagent.App }

// Setup ends the agent.
func (stopping) Setup(*libagent.Agent) error { return errStop }

// defaults gives the config of an agent whose file says nothing but where the server is.
func defaults(t *testing.T, app libagent.App) libagent.Settings {
	t.Helper()
	c := app.NewConfig()
	c.Basic().Server = []string{"127.0.0.1:13081"}
	if err := libagent.Run(t.Context(), stopping{app}, &libagent.Options{Config: c, Logger: slog.New(slog.DiscardHandler)}); !errors.Is(err, errStop) {
		t.Fatal(err)
	}
	return c
}

func (c *check) readManifest(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range manifest.Check(data, nil).Findings {
		t.Errorf("%s:%s", manifestFile, f.String())
	}
	if c.manifest, err = manifest.Load(data); err != nil {
		t.Fatal(err)
	}
}

// field is a setting of the struct.
type field struct {
	typ   reflect.Type
	bytes bool
	value reflect.Value
}

// addFields notes the settings of a struct by their keys.
func (c *check) addFields(prefix string, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("kv"), ",")
		if name == "-" || name == "" {
			continue
		}
		if f.Type.Kind() == reflect.Struct {
			c.addFields(prefix+name+".", v.Field(i))
			continue
		}
		c.settings[prefix+name] = field{f.Type, slices.Contains(strings.Split(options, ","), "bytes"), v.Field(i)}
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
func (c *check) settingsOfStruct(t *testing.T) {
	for key, f := range c.settings {
		it := c.manifest.Item(key)
		switch {
		case it == nil && !slices.Contains(c.advanced, key):
			t.Errorf("%s is in the struct and not in the manifest", key)
		case it != nil && !slices.Contains(f.types(), it.Type):
			t.Errorf("%s is a %v in the struct and of type %s in the manifest", key, f.typ, it.Type)
		}
	}
	for _, it := range c.manifest.Items {
		if _, ok := c.settings[it.Key]; !ok {
			t.Errorf("%s is in the manifest and not in the struct", it.Key)
		}
	}
	for _, key := range c.advanced {
		if _, ok := c.settings[key]; !ok || c.manifest.Item(key) != nil {
			t.Errorf("%s is no setting that only the struct has", key)
		}
	}
}

// What a form shows as the default is what the agent does when the file does not say.
func (c *check) defaultsOfStruct(t *testing.T) {
	text, err := kvconf.Marshal(c.defaults)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.manifest.ParseConf(text, nil).Findings {
		if s, ok := c.settings[f.Key]; ok && !s.value.IsZero() && c.manifest.Item(f.Key) != nil {
			t.Errorf("%s: %s", f.Key, f.Message.EN)
		}
	}
}

// The file that is shipped is one that the form would make: all its settings are known, valid and at their defaults, those that
// are commented out included.
func (c *check) fitsFile(t *testing.T) {
	shipped, err := os.ReadFile(confFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range c.manifest.ParseConf(shipped, nil).Findings {
		t.Errorf("%s:%s", confFile, f.String())
	}
	var all strings.Builder
	for line := range strings.Lines(string(shipped)) {
		if key, _, ok := strings.Cut(strings.TrimPrefix(line, "# "), " ="); ok && c.manifest.Item(key) != nil {
			line = strings.TrimPrefix(line, "# ")
		}
		all.WriteString(line)
	}
	for _, f := range c.manifest.ParseConf([]byte(all.String()), nil).Findings {
		t.Errorf("%s with its comments as settings:%s", confFile, f.String())
	}
	doc, err := kvconf.Parse([]byte(all.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range c.manifest.Items {
		if _, ok := doc.Get(it.Key); !ok {
			t.Errorf("%s is in the manifest and not in %s, not even as a comment", it.Key, confFile)
		}
	}
}

// The file that a form makes is one that the agent reads, to the last setting.
func (c *check) readsForm(t *testing.T) {
	text, err := c.manifest.WriteConf(nil, c.manifest.Evaluate(nil), "en")
	if err != nil {
		t.Fatal(err)
	}
	read := c.app.NewConfig()
	if err := kvconf.Unmarshal(text, read); err != nil {
		t.Errorf("%v in\n%s", err, text)
	}
	if b := read.Basic(); len(b.Server) != 1 || b.Server[0] != "127.0.0.1:13081" || b.Log.Size != 10_000_000 {
		t.Errorf("got %+v from\n%s", read, text)
	}
}
