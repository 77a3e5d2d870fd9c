package manifest_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/jkstack/jkframe/v2/manifest"
	"github.com/jkstack/jkframe/v2/manifest/form"
)

// size is how many settings the manifest of the benchmarks has.
const size = 1000

// large repeats the manifest of the metrics agent under other keys.
func large(tb testing.TB) []byte {
	tb.Helper()
	one, err := os.ReadFile("../../manifest/testdata/metrics/manifest.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	text := strings.ReplaceAll(string(one), `"(?i)[a-z]+-[0-9]{1,2}"`, `"[a-z]+-[0-9]{1,2}"`)
	var b bytes.Buffer
	for n := 0; strings.Count(b.String(), "- key:") < size; n++ {
		b.WriteString(strings.NewReplacer("key: ", fmt.Sprintf("key: s%d.", n), "target: ", fmt.Sprintf("target: s%d.", n)).Replace(text))
	}
	items := strings.SplitAfter(b.String(), "\n- ")
	return []byte(strings.TrimSuffix(strings.Join(items[:size+1], ""), "- "))
}

// compile makes a validator of a schema.
func compile(tb testing.TB, schema []byte) *jsonschema.Schema {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func ourCheck(tb testing.TB, doc *manifest.Document) {
	if result := doc.Check(nil); len(result.Findings) > 0 || len(result.Manifest.Items) != size {
		tb.Fatalf("%d items, %d findings", len(result.Manifest.Items), len(result.Findings))
	}
}

func theirParse(tb testing.TB, text []byte) any {
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		tb.Fatal(err)
	}
	return v
}

func theirCheck(tb testing.TB, schema *jsonschema.Schema, v any) {
	if err := schema.Validate(v); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkCheck checks a manifest that was read as YAML.
func BenchmarkCheck(b *testing.B) {
	text := large(b)
	b.Run("jkframe", func(b *testing.B) {
		doc := manifest.Parse(text)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			ourCheck(b, doc)
		}
	})
	b.Run("santhosh-tekuri", func(b *testing.B) {
		schema, v := compile(b, form.ManifestSchema()), theirParse(b, text)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			theirCheck(b, schema, v)
		}
	})
}

// BenchmarkParseAndCheck reads the text as YAML as well.
func BenchmarkParseAndCheck(b *testing.B) {
	text := large(b)
	b.Run("jkframe", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			ourCheck(b, manifest.Parse(text))
		}
	})
	b.Run("santhosh-tekuri", func(b *testing.B) {
		schema := compile(b, form.ManifestSchema())
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			theirCheck(b, schema, theirParse(b, text))
		}
	})
}

// fastest gives the shortest time of some runs of each function, which take turns so that both meet the same machine.
func fastest(runs int, ours, theirs func()) (a, b time.Duration) {
	a, b = time.Hour, time.Hour
	for range runs {
		start := time.Now()
		ours()
		middle := time.Now()
		theirs()
		a, b = min(a, middle.Sub(start)), min(b, time.Since(middle))
	}
	return a, b
}

// A build that checks its manifest is not slowed down by it: the check takes at most a tenth of what the validator takes, and
// with the parse at most three quarters.
func TestCheckIsFast(t *testing.T) {
	if raceDetector {
		t.Skip("SKIP: speed under the race detector says nothing")
	}
	text := large(t)
	doc, schema, v := manifest.Parse(text), compile(t, form.ManifestSchema()), theirParse(t, text)
	for _, tt := range []struct {
		name         string
		ours, theirs func()
		most         float64
	}{
		{"check", func() { ourCheck(t, doc) }, func() { theirCheck(t, schema, v) }, 0.1},
		{"parse and check", func() { ourCheck(t, manifest.Parse(text)) }, func() { theirCheck(t, schema, theirParse(t, text)) }, 0.75},
	} {
		ours, theirs := fastest(40, tt.ours, tt.theirs)
		ratio := ours.Seconds() / theirs.Seconds()
		t.Logf("%s of %d items: %v, santhosh-tekuri/jsonschema %v: %.3f", tt.name, size, ours, theirs, ratio)
		if ratio > tt.most {
			t.Errorf("%s takes %.3f of what the validator takes, want at most %.2f", tt.name, ratio, tt.most)
		}
	}
}
