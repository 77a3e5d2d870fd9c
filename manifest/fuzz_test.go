package manifest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"gopkg.in/yaml.v3"

	"github.com/jkstack/jkframe/v2/manifest"
)

// addCorpus seeds a fuzz target with every manifest that the tests have.
func addCorpus(f *testing.F) {
	f.Helper()
	for _, dir := range []string{"testdata/corpus/bad", "testdata/corpus/good", "lint/testdata/cases", "testdata/metrics"} {
		files, err := os.ReadDir(dir)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(dir + "/" + file.Name())
			if err != nil {
				f.Fatal(err)
			}
			if strings.HasSuffix(file.Name(), ".yaml") {
				f.Add(data)
			}
		}
	}
}

// Any text at all: each finding has a place in the text and words in both languages, a fix is an edit of the text, and a
// manifest comes out that can be asked for values.
func FuzzCheck(f *testing.F) {
	addCorpus(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		doc := manifest.Parse(data)
		result := doc.Check(nil)
		for _, found := range result.Findings {
			line := doc.Line(found.Line)
			if found.Line < 1 || found.Column < 1 || found.Column > utf8.RuneCountInString(line)+1 && len(data) <= manifest.MaxBytes {
				t.Errorf("no such place: %s", found.String())
			}
			if found.EndLine < found.Line || found.EndLine == found.Line && found.EndColumn < found.Column {
				t.Errorf("ends at %d:%d: %s", found.EndLine, found.EndColumn, found.String())
			}
			if found.Message.EN == "" || found.Message.ZH == "" || strings.Contains(found.Message.EN+found.Message.ZH, "%!") {
				t.Errorf("no message: %q", found.Message)
			}
			if found.Severity < manifest.Info {
				t.Errorf("no severity: %s", found.String())
			}
		}
		if !doc.Readable() {
			if result.Worst() < manifest.Error || result.Manifest != nil {
				t.Error("what cannot be read is fine")
			}
			return
		}
		fixed, n := manifest.ApplyFixes(data, result.Findings)
		if n > 0 && !manifest.Parse(fixed).Readable() {
			t.Errorf("the fixes made %q of it", fixed)
		}
		e := result.Manifest.Evaluate(nil)
		if text, err := result.Manifest.WriteConf(nil, e, "en"); err == nil {
			again := result.Manifest.ParseConf(text, nil)
			if err := again.Evaluation.Err(); err != nil {
				t.Errorf("the defaults were written as %q: %v", text, err)
			}
		}
	})
}

// What agents of the field read, in the words of their own code: everything from a "#" on is cut off, then the line is split.
func fieldReads(data []byte) (keys, values []string) {
	comment := regexp.MustCompile("#.+$")
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		key, value, ok := strings.Cut(strings.TrimSpace(comment.ReplaceAllString(lines.Text(), "")), "=")
		if key = strings.TrimSpace(key); ok && key != "" {
			keys, values = append(keys, key), append(values, strings.TrimSpace(value))
		}
	}
	return keys, values
}

// A configuration file is judged by what agents of the field read from it.
func FuzzParseConf(f *testing.F) {
	m, err := manifest.Load([]byte("- { name: { zh: N }, desc: { zh: D }, key: basic.id, type: csv, required: true, len: 3 }\n- { name: { zh: N }, desc: { zh: D }, key: a, type: bytes, required: false, min: 1K }\n"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"a = 1\n", "basic.id = a, b # c\n", "a=1#2", "a # = b", "= b", "id=\"x#\"", "a = C#\r\nb\n", "\ufeffa = 1", "a = \x00\xff", "a=0 B"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		conf := m.ParseConf(data, nil)
		for _, found := range conf.Findings {
			if found.Conf && (found.Line < 1 || found.Column < 1 || found.Column > utf8.RuneCountInString(conf.Line(found.Line))+1) {
				t.Errorf("no such place: %s", found.String())
			}
		}
		if bytes.HasPrefix(data, []byte("\ufeff")) || len(data) >= 64<<10 || bytes.ContainsRune(data, '\r') && !utf8.Valid(data) {
			return // these are findings, and what agents make of them is not known
		}
		keys, values := manifest.Settings(data)
		wantKeys, wantValues := fieldReads(data)
		if !reflect.DeepEqual(keys, wantKeys) || !reflect.DeepEqual(values, wantValues) {
			t.Errorf("got %q = %q, want %q = %q", keys, values, wantKeys, wantValues)
		}
	})
}

// What is written is read again as the same values, by the manifest and by agents of the field.
func FuzzWriteConf(f *testing.F) {
	m, err := manifest.Load([]byte(`
- { name: { zh: N }, desc: { zh: "d\n=" }, key: s, type: string, required: false }
- { name: { zh: N }, desc: { zh: D }, key: c, type: csv, required: false }
- { name: { zh: N }, desc: { zh: D }, key: i, type: int, required: false }
- { name: { zh: N }, desc: { zh: D }, key: b, type: bytes, required: false }
- { name: { zh: N }, desc: { zh: D }, key: d, type: duration, required: false }
- { name: { zh: N }, desc: { zh: D }, key: n, type: naddr, required: false }
- { name: { zh: N }, desc: { zh: D }, key: p, type: path, required: false, allow_relative: true }
- { name: { zh: N }, desc: { zh: D }, key: u, type: uuid, required: false }
`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"s":"a b","c":["x","y"],"i":5,"b":"10M","d":"1h","n":"h:1","p":"x","u":"$IP"}`, "s = 1 # c\n")
	f.Add(`{"s":"'","c":"a, b","i":"-1"}`, "")
	f.Add(`{"s":"null","p":"null","c":["null"]}`, "other=1")
	f.Fuzz(func(t *testing.T, values, old string) {
		var given map[string]any
		if json.Unmarshal([]byte(values), &given) != nil {
			return
		}
		e := m.Evaluate(given)
		text, err := m.WriteConf([]byte(old), e, "en")
		if err != nil || strings.HasPrefix(old, "\ufeff") {
			return
		}
		again := m.ParseConf(text, nil)
		if old == "" {
			for _, found := range again.Findings {
				if found.Severity == manifest.Error {
					t.Errorf("%q was written: %s", text, found.String())
				}
			}
			if got, want := fmt.Sprint(again.Evaluation.Values()), fmt.Sprint(e.Values()); got != want && !strings.Contains(want, "null") {
				t.Errorf("got %s, want %s from\n%s", got, want, text)
			}
		}
		for _, field := range e.Fields {
			if !field.Active && again.Values[field.Item.Key] != "" {
				t.Errorf("%s is not active and was written", field.Item.Key)
			}
		}
	})
}

// Sizes are those of go-humanize, counted exactly.
func FuzzBytes(f *testing.F) {
	for _, seed := range []string{"10M", "1.5 GiB", "1,000KB", "18446744073709551615", "16EiB", ".5k", "1.2.3", "-1", "", "1,0M", "0.1E"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := manifest.ParseBytes(text)
		want, err := humanize.ParseBytes(text)
		if ok != (err == nil) {
			tooLarge := err != nil && strings.Contains(err.Error(), "too large") || got > 1<<63 || strings.Contains(text, "E") || strings.Contains(text, "e")
			if !tooLarge {
				t.Fatalf("%q: got %d, %t; go-humanize: %d, %v", text, got, ok, want, err)
			}
			return
		}
		if ok && (float64(got) > float64(want)*1.0001+1 || float64(want) > float64(got)*1.0001+1) {
			t.Fatalf("%q: got %d; go-humanize: %d", text, got, want)
		}
	})
}

// A text without quotes is what yaml.v3, with which agents are built, takes it for.
func FuzzPlainKind(f *testing.F) {
	for _, seed := range []string{"1", "-1", "1.5", "1e3", "0x1F", "0o17", "010", "08", "1_000", "0b11", "yes", "true", "~", ".inf", "-.INF", ".nan", "1:30", "2006-01-02", "5.", ".5", "+5", "a", "null", "<<", "0x", "1__0", "-", "+.5e-3"} {
		f.Add(seed)
	}
	names := map[string]string{"!!null": "null", "!!bool": "a bool", "!!int": "an integer", "!!float": "a float", "!!str": "a string", "!!timestamp": "a string", "!!merge": "a string"}
	f.Fuzz(func(t *testing.T, text string) {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte("- "+text+"\n"), &doc); err != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.SequenceNode {
			return
		}
		if list := doc.Content[0].Content; len(list) != 1 || list[0].Kind != yaml.ScalarNode || list[0].Style != 0 || list[0].Value != text || list[0].Tag != list[0].ShortTag() {
			return
		}
		got, disputed := manifest.PlainKind(text)
		want := names[doc.Content[0].Content[0].Tag]
		if got == want || disputed || got == "not a finite number" && want == "a float" {
			return
		}
		// yaml.v3 takes a number that is too large for a float, or for a word.
		if got == "an integer" && len(text) > 15 || got == "a float" && want == "a string" {
			return
		}
		t.Errorf("%q: got %s, want %s", text, got, want)
	})
}
