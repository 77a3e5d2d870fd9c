package manifest_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/jkstack/jkframe/v2/manifest"
	"github.com/jkstack/jkframe/v2/manifest/form"
)

const testdata = "../../manifest/testdata/"

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.FromSlash(pattern))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", pattern, err)
	}
	return files
}

// An editor that has the schema of manifest.yaml finds nothing in a file that is right.
func TestManifestSchemaTakesGoodFiles(t *testing.T) {
	schema := compile(t, form.ManifestSchema())
	for _, name := range append(glob(t, testdata+"corpus/good/*.yaml"), testdata+"metrics/manifest.yaml", "../../examples/example-agent/conf/manifest.yaml") {
		if err := schema.Validate(theirParse(t, read(t, name))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// It finds what a schema can see: what is missing, misspelt, or of another type. What lies between settings it cannot see.
func TestManifestSchemaRefusesBadFiles(t *testing.T) {
	schema := compile(t, form.ManifestSchema())
	seen := make(map[string]bool)
	for _, rule := range []string{"ML006", "ML007", "ML101", "ML102", "ML103", "ML105", "ML106", "ML107", "ML109", "ML112", "ML201", "ML209", "ML210", "ML211", "ML301", "ML302", "ML303", "ML304", "ML305", "ML402", "ML406", "ML411", "ML412"} {
		seen[rule] = true
	}
	for _, name := range glob(t, testdata+"corpus/bad/*.yaml") {
		var v any
		if err := yaml.Unmarshal(read(t, name), &v); err != nil {
			continue
		}
		rule := filepath.Base(name)[:len("ML000")]
		err := schema.Validate(v)
		if seen[rule] && err == nil {
			t.Errorf("%s: nothing was found", name)
		}
	}
}

// validate holds values against the schema of a manifest's values.
func validate(t *testing.T, schema *jsonschema.Schema, values string) (map[string]any, error) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(values))
	if err != nil {
		t.Fatalf("%s: %v", values, err)
	}
	return v.(map[string]any), schema.Validate(v)
}

// A program that renders a form from the JSON Schema takes and refuses the same values as the manifest: types, bounds, what is
// required, and that only of what is active.
func TestSchemaAgreesWithEvaluate(t *testing.T) {
	const chain = `
- { name: { zh: N }, desc: { zh: D }, key: on, type: bool, required: false, default: true }
- { name: { zh: N }, desc: { zh: D }, key: log.target, type: csv, required: false, csv_valid: [ stdout, file ], default: [ stdout ], enabled: { when: { target: on, equal: true } } }
- { name: { zh: N }, desc: { zh: D }, key: log.dir, type: path, required: true, allow_relative: false, enabled: { when: { target: log.target, contain: file } } }
- { name: { zh: N }, desc: { zh: D }, key: log.id, type: uuid, required: true, enabled: { when: { target: on, equal: false } } }
- { name: { zh: N }, desc: { zh: D }, key: deep.a.b, type: int, required: true, min: -5, max: 5 }
- { name: { zh: N }, desc: { zh: D }, key: deep.a.c, type: uint, required: false }
- { name: { zh: N }, desc: { zh: D }, key: deep.f, type: float, required: false, max: 1.5 }
- { name: { zh: N }, desc: { zh: D }, key: s, type: string, required: false, len: 3, str_valid: "(?i)[a-z]*|[0-9]\\-x|\\pL" }
- { name: { zh: N }, desc: { zh: D }, key: e, type: enum, required: false, enum_valid: [ a, 1 ] }
- { name: { zh: N }, desc: { zh: D }, key: n, type: naddr, required: false }
- { name: { zh: N }, desc: { zh: D }, key: z, type: bytes, required: false }
- { name: { zh: N }, desc: { zh: D }, key: d, type: duration, required: false }
- { name: { zh: N }, desc: { zh: D }, key: c, type: csv, required: false, len: 2 }
- { name: { zh: N }, desc: { zh: D }, key: r, type: csv, required: true }
- { name: { zh: N }, desc: { zh: D }, key: t, type: string, required: true }
`
	m, err := manifest.Load([]byte(chain))
	if err != nil {
		t.Fatal(err)
	}
	text, err := form.Schema(m, "en")
	if err != nil {
		t.Fatal(err)
	}
	again, err := form.Schema(m, "en")
	if err != nil || !bytes.Equal(again, text) {
		t.Error("the schema is another one each time")
	}
	schema := compile(t, text)
	const base = `"deep":{"a":{"b":1}},"r":["x"],"t":"x"`
	valid, refused := 0, 0
	for _, values := range []string{
		`{` + base + `}`, `{}`, `{"r":["x"],"t":"x"}`, `{"deep":{"a":{}},"r":["x"],"t":"x"}`, `{"deep":{"a":{"b":6}},"r":["x"],"t":"x"}`, `{"deep":{"a":{"b":-5}},"r":["x"],"t":"x"}`,
		`{"deep":{"a":{"b":1.5}},"r":["x"],"t":"x"}`, `{"deep":{"a":{"b":1.0}},"r":["x"],"t":"x"}`, `{"deep":{"a":{"b":true}},"r":["x"],"t":"x"}`,
		`{"deep":{"a":{"b":1,"c":18446744073709551615}},"r":["x"],"t":"x"}`, `{"deep":{"a":{"b":1,"c":18446744073709551616}},"r":["x"],"t":"x"}`, `{"deep":{"a":{"b":1,"c":-1}},"r":["x"],"t":"x"}`,
		`{"deep":{"a":{"b":1},"f":1.5},"r":["x"],"t":"x"}`, `{"deep":{"a":{"b":1},"f":1.51},"r":["x"],"t":"x"}`,
		`{"deep":{"a":{"b":1}},"r":[],"t":"x"}`, `{"deep":{"a":{"b":1}},"r":["x"],"t":""}`, `{"deep":{"a":{"b":1}},"r":["x","x"],"t":"x"}`,
		`{` + base + `,"on":true,"log":{"target":["file"]}}`, `{` + base + `,"on":true,"log":{"target":["file"],"dir":"/l"}}`, `{` + base + `,"log":{"target":["file"],"dir":"l"}}`,
		`{` + base + `,"log":{"target":["file","stdout"],"dir":""}}`, `{` + base + `,"on":false}`, `{` + base + `,"on":false,"log":{"id":"$IP"}}`, `{` + base + `,"on":false,"log":{"id":"a b"}}`,
		`{` + base + `,"on":false,"log":{"id":"a","target":["file"]}}`, `{` + base + `,"on":false,"log":{"id":"a","target":["udp"],"dir":5}}`, `{` + base + `,"log":{"target":["udp"]}}`, `{` + base + `,"log":{"id":5}}`,
		`{` + base + `,"s":"abc"}`, `{` + base + `,"s":"ABCD"}`, `{` + base + `,"s":"1-x"}`, `{` + base + `,"s":"1-X"}`, `{` + base + `,"s":"值"}`, `{` + base + `,"s":"a#b"}`, `{` + base + `,"s":"K"}`, `{` + base + `,"s":"1"}`, `{` + base + `,"s":""}`, `{` + base + `,"s":5}`,
		`{` + base + `,"e":"a"}`, `{` + base + `,"e":"1"}`, `{` + base + `,"e":"b"}`, `{` + base + `,"e":["a"]}`,
		`{` + base + `,"n":"h:1"}`, `{` + base + `,"n":"[::1]:1"}`, `{` + base + `,"n":"h"}`, `{` + base + `,"n":"h:0"}`, `{` + base + `,"n":"$H:80"}`, `{` + base + `,"n":"http://h:80"}`, `{` + base + `,"n":""}`,
		`{` + base + `,"z":"10M"}`, `{` + base + `,"z":"1.5 GiB"}`, `{` + base + `,"z":"10X"}`, `{` + base + `,"z":"M"}`, `{` + base + `,"z":10}`, `{` + base + `,"z":"-1M"}`,
		`{` + base + `,"d":"1h30m"}`, `{` + base + `,"d":"1d"}`, `{` + base + `,"d":"-1s"}`, `{` + base + `,"d":"0"}`, `{` + base + `,"d":"1.5h"}`, `{` + base + `,"d":30}`,
		`{` + base + `,"c":["a","b"]}`, `{` + base + `,"c":["a","b","c"]}`, `{` + base + `,"c":["a,b"]}`, `{` + base + `,"c":[""]}`, `{` + base + `,"c":["a b"]}`, `{` + base + `,"c":[" a"]}`, `{` + base + `,"c":["a#"]}`, `{` + base + `,"c":[["a"]]}`, `{` + base + `,"c":{}}`,
		`{` + base + `,"t2":"unknown"}`, `{"deep":5,"r":["x"],"t":"x"}`,
	} {
		given, theirs := validate(t, schema, values)
		ours := m.Evaluate(given).Err()
		if (ours == nil) != (theirs == nil) {
			t.Errorf("%s: the manifest says %v, the schema says %v", values, ours, theirs)
		}
		if ours == nil {
			valid++
		} else {
			refused++
		}
	}
	if valid < 20 || refused < 20 {
		t.Errorf("%d values are valid, %d are not: there should be many of both", valid, refused)
	}
}

// Titles, descriptions, defaults and order are there for whoever renders the form.
func TestSchemaSaysWhatAFormShows(t *testing.T) {
	m, err := manifest.Load(read(t, testdata+"metrics/manifest.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for lang, title := range map[string]string{"zh": "日志文件大小", "en": "Log file size"} {
		text, err := form.Schema(m, lang)
		if err != nil {
			t.Fatal(err)
		}
		compile(t, text)
		for _, want := range []string{`"title": "` + title + `"`, `"default": "10M"`, `"x-min": "1K"`, `"x-order": 4`, `"x-category": "log"`, `"if"`, `"then"`, `"contains"`, `"enum": [`, `"maxItems": 5`} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: %s is missing in\n%s", lang, want, text)
			}
		}
	}
}
