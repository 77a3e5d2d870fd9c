package manifest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
	"github.com/jkstack/jkframe/v2/manifest/form"
)

// verdict is what becomes of a text: what stands in the file, or nothing, or an error.
type verdict struct {
	Text  string `json:"text"`
	Set   bool   `json:"set"`
	Error bool   `json:"error"`
}

// The page judges each text as Go does: what it takes is taken, and what it refuses would have been refused.
func TestPageAgreesWithGo(t *testing.T) {
	types := []string{
		"string", "string, len: 3", `string, str_valid: "(?i)ab+|\\pL[0-9]{2}|\\x{20ac}|a.c|x(?:yy)*?"`, `string, str_valid: "[^]a-c]\\-?\\W\\bz$"`, "string, required: true", "string, default: x",
		"enum, enum_valid: [ a, 1.0 ]", "int", "int, min: -5, max: 5", "uint", "uint, max: 18446744073709551614", "float", "float, min: 0.5, max: 1e3", "naddr", "path", "path, allow_relative: false, len: 8",
		"bytes", "bytes, min: 1K, max: 1MiB", "duration", "duration, min: 1s, max: 1h30m", "uuid", "uuid, required: true",
	}
	texts := []string{
		"", "a", "ab", "ABBB", "abc", "abcd", "a#b", "a\"b", "\"a\"", "'a", "值", "值值值", "值值值值", "é12", "€", "axc", "a\u00a0c", "😀", "xyyyy", "x", "d-z", "d z", "-z", "a b", "K", "ſ12", "\u212a",
		"0", "1", "-1", "+1", "5", "6", "-5", "-6", "007", "1.0", "1.5", "1.", ".5", "0.4", "1e3", "1e-3", "1001", "1e400", "0x10", "1_000", "NaN", "Infinity", "--1", "1 2",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551614", "18446744073709551616",
		"10M", "10m", "10 M", "10MB", "10MiB", "10Mi", "1.5k", "1,000", "1,000KB", "1000", "999", "1024KiB", "1025KiB", "16E", "18.5E", "16EiB", "10X", "10MM", ".5K", ".K", "5.", "-1M", "B", "1B", "1.2.3K", "1 kib", "10\tM", "1\nMB",
		"1s", "1h30m", "1h30m0.001s", "1.5h", "100ms", "1000ms", "1d", "1S", "1h 30m", "-1s", "+1s", "0s", "1µs", "1μs", "1us", "5ns", "1", "s", ".5s", "1.s", "2562047h47m16.854775807s", "2562048h", "1m1m",
		"host:80", "host", "host:", ":80", "host:0", "host:65535", "host:65536", "host:080", "1.2.3.4:80", "1.2.3:80", "256.1.1.1:80", "01.2.3.4:80", "[::1]:80", "[::1]", "::1:80", "[1.2.3.4]:80", "[fe80::1%eth0]:80", "[fe80::1%a#b]:80", "[fe80::1%a\tb]:80",
		"[::ffff:1.2.3.4]:80", "[1:2:3:4:5:6:7:8]:80", "[1:2:3:4:5:6:7]:80", "[1::2::3]:80", "[::12345]:80", "[::1%]:80", "$HOST:80", "${HOST}:80", "$1:80", "${HOST:80", "a-b.example.com:80", "-a:80", "a-:80", "a_b:80", "a..b:80", "a.:80", "http://a:80", "a.b.1:80",
		"/a", "/opt/long/path", "./a", "C:\\a", "C:/a", "C:a", "\\\\a\\b", "\\a", "~/a", "$HOME/a", "%TMP%\\a", "%TMP",
		"$HOSTNAME", "agent-1", "a\tb",
	}
	var yaml strings.Builder
	for i, typ := range types {
		fmt.Fprintf(&yaml, "- { key: k%d, name: { zh: N }, desc: { zh: D }, type: %s }\n", i, typ)
	}
	result := manifest.Check([]byte(yaml.String()), nil)
	if result.Worst() >= manifest.Error {
		t.Fatal(manifest.Problems(result.Findings))
	}
	m := result.Manifest
	p := openBrowser(t)
	p.open(m, nil)
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	theirs := eval[map[string][]verdict](p, `(() => {`+string(read(t, "../../manifest/form/page/model.js"))+`
		const items = JSON.parse(document.getElementById("manifest").textContent).items, texts = `+string(input)+`;
		return Object.fromEntries(items.map((item) => [item.key, texts.map((text) => {
			const r = evaluate([item], { [item.key]: text })[item.key];
			return { text: r.text ?? "", set: r.text !== null, error: r.error !== null };
		})]));
	})()`)
	taken, refused := 0, 0
	for i, it := range m.Items {
		for j, text := range texts {
			if it.Type == manifest.TypeFloat && text == "1_000" {
				continue // only Go reads it, and the page need not
			}
			e := m.Evaluate(map[string]any{it.Key: text})
			f := e.Field(it.Key)
			ours := verdict{Text: f.Value.Text, Set: f.Value.IsSet()}
			for _, v := range e.Violations {
				ours.Error = ours.Error || v.Key == it.Key && v.Severity == manifest.Error
			}
			if ours.Error {
				ours = verdict{Error: true}
				refused++
			} else {
				taken++
			}
			if got := theirs[it.Key][j]; got != ours {
				t.Errorf("type %s, %q: the page says %+v, Go says %+v %v", types[i], text, got, ours, e.Violations)
			}
		}
	}
	if taken < 500 || refused < 1000 {
		t.Errorf("%d texts are taken, %d refused: there should be many of both", taken, refused)
	}
	p.checkQuiet()
}

// Lists are judged alike, too.
func TestPageAgreesWithGoAboutLists(t *testing.T) {
	m, err := manifest.Load([]byte(`
- { key: k0, name: { zh: N }, desc: { zh: D }, type: csv, required: false }
- { key: k1, name: { zh: N }, desc: { zh: D }, type: csv, required: true, csv_valid: [ a, b, "x y" ], len: 2 }
- { key: k2, name: { zh: N }, desc: { zh: D }, type: csv, required: false, default: [ a ] }
`))
	if err != nil {
		t.Fatal(err)
	}
	p := openBrowser(t)
	p.open(m, &form.PageOptions{Lang: "en"})
	lists := [][]string{{}, {"a"}, {"a", "b"}, {"a", "b", "x y"}, {"x y"}, {"a,b"}, {"a#"}, {"'a'"}, {"c"}, {"a", "c"}, {"值"}}
	input, err := json.Marshal(lists)
	if err != nil {
		t.Fatal(err)
	}
	theirs := eval[[][]verdict](p, `(() => {`+string(read(t, "../../manifest/form/page/model.js"))+`
		const items = JSON.parse(document.getElementById("manifest").textContent).items;
		return items.map((item) => `+string(input)+`.map((list) => {
			const r = evaluate([item], { [item.key]: list })[item.key];
			return { text: r.text ?? "", set: r.text !== null, error: r.error !== null };
		}));
	})()`)
	for i, it := range m.Items {
		for j, list := range lists {
			e := m.Evaluate(map[string]any{it.Key: list})
			f := e.Field(it.Key)
			ours := verdict{Text: f.Value.Text, Set: f.Value.IsSet()}
			for _, v := range e.Violations {
				ours.Error = ours.Error || v.Key == it.Key && v.Severity == manifest.Error
			}
			if ours.Error {
				ours = verdict{Error: true}
			}
			if got := theirs[i][j]; got != ours {
				t.Errorf("%s, %q: the page says %+v, Go says %+v %v", it.Key, list, got, ours, e.Violations)
			}
		}
	}
}
