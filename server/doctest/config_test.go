package doctest_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/features"
)

// docs is the folder of the documents, seen from here; root is the folder of the repository.
const (
	root = "../.."
	docs = root + "/docs"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// settings returns what configuration.md says of the server's keys.
func settings(t *testing.T) []doccheck.Setting {
	t.Helper()
	doc := read(t, docs+"/configuration.md")
	return append(doccheck.Settings(doc, "The server: `conf/server.conf`", ""), doccheck.Settings(doc, "The log", "")...)
}

// An operator finds every key, and no key that is not there.
func TestKeys(t *testing.T) {
	documented, actual := settings(t), doccheck.SettingsOf(reflect.TypeFor[server.Config]())
	for _, f := range features.All() {
		if c, ok := f.(server.Configurer); ok {
			for _, s := range doccheck.SettingsOf(reflect.TypeOf(c.Settings()).Elem()) {
				s.Key = f.Name() + "." + s.Key
				actual = append(actual, s)
			}
		}
	}
	for i := range documented {
		documented[i].Default = ""
	}
	for _, s := range actual {
		if !slices.Contains(documented, s) {
			t.Errorf("configuration.md lacks %+v", s)
		}
	}
	for _, s := range documented {
		if !slices.Contains(actual, s) {
			t.Errorf("configuration.md has %+v, which is no key", s)
		}
	}
	if len(actual) < 20 {
		t.Errorf("only %d keys", len(actual))
	}
}

// The config file that is delivered works, shows every key, and names the same defaults as the page.
func TestDefaults(t *testing.T) {
	const file = "../agent-server/conf/server.conf"
	if _, err := server.LoadConfig(filepath.FromSlash(file), features.All()...); err != nil {
		t.Error(err)
	}
	text := read(t, file)
	delivered, err := kvconf.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings(t) {
		got, ok := delivered.Get(s.Key)
		switch {
		case ok && got != s.Default:
			t.Errorf("%s: %q in server.conf, %q in configuration.md", s.Key, got, s.Default)
		case !ok && s.Default != "" && !strings.HasPrefix(s.Key, "log."):
			t.Errorf("%s: not in server.conf", s.Key)
		case !ok && !strings.HasPrefix(s.Key, "log.") && !strings.Contains(text, "\n# "+s.Key+" = "):
			t.Errorf("server.conf does not show %s", s.Key)
		}
	}
}
