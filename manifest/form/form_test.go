package form_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
	"github.com/jkstack/jkframe/v2/manifest/form"
)

func load(t testing.TB, text string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Load([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func metrics(t testing.TB) *manifest.Manifest {
	t.Helper()
	data, err := os.ReadFile("../testdata/metrics/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(data))
}

func page(t *testing.T, m *manifest.Manifest, o *form.PageOptions) string {
	t.Helper()
	var b bytes.Buffer
	if err := form.WritePage(&b, m, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The page is one file that works without a network, and can send nothing.
func TestPageLoadsNothing(t *testing.T) {
	text := page(t, metrics(t), nil)
	for _, pattern := range []string{`\b(?:src|srcset|action)=`, `https?://`, `@import`, `url\(`, `\bimport\b`, `fetch\(`, `XMLHttpRequest`, `innerHTML`, `\beval\b`, `document\.write`, ` style=`, ` on[a-z]+="`} {
		if found := regexp.MustCompile(pattern).FindString(text); found != "" {
			t.Errorf("the page has %q", found)
		}
	}
	if !regexp.MustCompile(`default-src 'none'; img-src data:; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'`).MatchString(text) {
		t.Error("the page has no policy")
	}
}

var update = flag.Bool("update", false, "rewrite the golden files")

// Every type, constraint and condition of the metrics agent is in its schema; package bench/manifest holds it against a validator.
func TestSchemaOfMetricsAgent(t *testing.T) {
	const name = "testdata/metrics.schema.json"
	got, err := form.Schema(metrics(t), "en")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; -update rewrites it. Got:\n%s", name, got)
	}
}

// The texts of a manifest are texts in the page, whatever is in them.
func TestPageEscapes(t *testing.T) {
	const nasty = `</script><script>alert(1)</script><!--`
	m := load(t, `- { key: a, type: string, name: { zh: "`+nasty+`" }, desc: { zh: "'`+nasty+`" }, required: false, default: "`+nasty+`", category: "`+nasty+`" }`)
	text := page(t, m, &form.PageOptions{Title: nasty, File: nasty})
	if strings.Contains(text, nasty) || strings.Count(text, "</script>") != 2 || strings.Count(text, "<script") != 2 {
		t.Errorf("the page has a script of the manifest:\n%s", text)
	}
	data := regexp.MustCompile(`(?s)<script type="application/json" id="manifest">(.*?)</script>`).FindStringSubmatch(text)
	var got struct {
		Title, File string
		Items       []struct {
			Name    manifest.Text
			Default string
		}
	}
	if err := json.Unmarshal([]byte(data[1]), &got); err != nil || got.Title != nasty || got.File != nasty || len(got.Items) != 1 || got.Items[0].Name.ZH != nasty || got.Items[0].Default != nasty {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A manifest makes the same page each time, so that it can be kept beside the manifest.
func TestPageIsTheSame(t *testing.T) {
	m := metrics(t)
	first := page(t, m, nil)
	if again := page(t, m, nil); again != first {
		t.Error("two pages of one manifest differ")
	}
}

// What browsers and validators get as a regular expression matches what Go's matches, for expressions that they would read
// otherwise.
func FuzzECMAPattern(f *testing.F) {
	for _, seed := range [][2]string{
		{"(?i)[a-z]+", "ABC"}, {"a|bc", "abc"}, {`\Aab\z`, "ab"}, {`(?P<n>x)\pL`, "xé"}, {"[[:alpha:]]{2,3}", "abcd"}, {`\Qa.b\E`, "a.b"}, {"(?s).", "\n"}, {".", "\n"},
		{"[]a]+", "]"}, {`[^\n\x{2028}]`, "\u2028"}, {"(?U)a+b??", "aab"}, {`\bx\B`, "x"}, {"", ""}, {"(?:)*", ""}, {"[^\\x00-\\x{10FFFF}]", ""}, {"(?i)k", "\u212a"}, {"-/^", "-/"}, {"(a(b)?){3}", "abab"}, {"x{0}", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		whole, err := regexp.Compile("^(?:" + expr + ")$")
		if _, alone := regexp.Compile(expr); err != nil || alone != nil {
			return
		}
		pattern, err := form.ECMAPattern(expr)
		if err != nil {
			t.Fatalf("%q: %v", expr, err)
		}
		again, err := regexp.Compile(pattern)
		if err != nil {
			if !strings.Contains(pattern, "(?<!") && !strings.Contains(pattern, "(?!") && !strings.Contains(err.Error(), "large") {
				t.Fatalf("%q became %q: %v", expr, pattern, err)
			}
			return
		}
		if whole.MatchString(text) != again.MatchString(text) {
			t.Errorf("%q became %q, which differs for %q", expr, pattern, text)
		}
	})
}

func ExampleSchema() {
	m, err := manifest.Load([]byte(`- { key: log.rotate, type: uint, name: { zh: 份数, en: Files }, desc: { zh: 保留份数, en: How many files are kept }, required: true, default: 7, max: 100 }`))
	if err != nil {
		fmt.Println(err)
		return
	}
	schema, err := form.Schema(m, "en")
	fmt.Print(string(schema), err)
	// Output:
	// {
	//   "$schema": "https://json-schema.org/draft/2020-12/schema",
	//   "type": "object",
	//   "properties": {
	//     "log": {
	//       "type": "object",
	//       "properties": {
	//         "rotate": {
	//           "title": "Files",
	//           "description": "How many files are kept",
	//           "type": "integer",
	//           "minimum": 0,
	//           "maximum": 100,
	//           "default": 7,
	//           "x-type": "uint",
	//           "x-order": 0
	//         }
	//       }
	//     }
	//   }
	// }
	// <nil>
}
