package manifest_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
)

// load reads a manifest whose items have their name and desc left out.
func load(t *testing.T, text string) *manifest.Manifest {
	t.Helper()
	full := strings.ReplaceAll(text, "- {", "- { name: { zh: N }, desc: { zh: D },")
	m, err := manifest.Load([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		t.Fatal(err)
	}
	return values
}

func violations(e *manifest.Evaluation) string {
	all := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		all[i] = v.Key + " " + string(v.Rule)
		if v.Cause != "" {
			all[i] += " " + string(v.Cause)
		}
		if v.Severity != manifest.Error {
			all[i] += " " + v.Severity.String()
		}
	}
	return strings.Join(all, ", ")
}

const chain = `
- { key: mode, type: bool, required: false, default: false }
- { key: log.target, type: csv, required: true, csv_valid: [ stdout, file ], default: [ stdout ], enabled: { when: { target: mode, equal: true } } }
- { key: log.dir, type: path, required: true, enabled: { when: { target: log.target, contain: file } } }
- { key: log.size, type: bytes, required: true, default: 10M, min: 1M, enabled: { when: { target: log.target, contain: file } } }
- { key: off.note, type: string, required: false, enabled: { when: { target: mode, equal: false } } }
`

// A form shows the fields whose conditions hold all the way up, and asks only for what is shown.
func TestEvaluateChain(t *testing.T) {
	m := load(t, chain)
	for _, tt := range []struct{ values, active, result, violations string }{
		{`{}`, "mode off.note", `{"mode":false}`, ""},
		{`{"mode":true}`, "mode log.target", `{"log.target":["stdout"],"mode":true}`, ""},
		{`{"mode":true,"log":{"target":["file"]}}`, "mode log.target log.dir log.size", `{"log.size":10000000,"log.target":["file"],"mode":true}`, "log.dir ML502"},
		{`{"mode":"true","log.target":"stdout, file","log":{"dir":"/l"}}`, "mode log.target log.dir log.size",
			`{"log.dir":"/l","log.size":10000000,"log.target":["stdout","file"],"mode":true}`, ""},
		// What is hidden is not judged, and not in the result.
		{`{"mode":false,"log":{"target":["udp"],"dir":"/l","size":"1X"},"off.note":"x"}`, "mode off.note", `{"mode":false,"off.note":"x"}`, ""},
		{`{"mode":true,"log.target":["udp"]}`, "mode log.target", `{"mode":true}`, "log.target ML503 ML203"},
		{`{"mode":true,"log.target":[]}`, "mode log.target", `{"log.target":[],"mode":true}`, "log.target ML502"},
		{`{"mode":null,"unknown":1,"log":{"unknown":2}}`, "mode off.note", `{"mode":false}`, "log.unknown ML501 warning, unknown ML501 warning"},
		{`{"mode":"maybe"}`, "mode off.note", `{}`, "mode ML503 ML201"},
	} {
		e := m.Evaluate(decode(t, tt.values))
		var active []string
		for _, f := range e.Fields {
			if f.Active {
				active = append(active, f.Item.Key)
			}
		}
		if got := strings.Join(active, " "); got != tt.active {
			t.Errorf("%s: active are %q, want %q", tt.values, got, tt.active)
		}
		if got, _ := json.Marshal(e.Values()); string(got) != tt.result {
			t.Errorf("%s: got %s, want %s", tt.values, got, tt.result)
		}
		if got := violations(e); got != tt.violations {
			t.Errorf("%s: violations are %q, want %q", tt.values, got, tt.violations)
		}
		if (e.Err() == nil) != !strings.Contains(strings.ReplaceAll(tt.violations, "ML501 warning", ""), "ML") {
			t.Errorf("%s: Err gives %v", tt.values, e.Err())
		}
	}
}

// Settings that depend on each other in a circle are never active, and do not hang whoever asks.
func TestEvaluateCircle(t *testing.T) {
	result := manifest.Check([]byte(`
- { key: a, name: { zh: N }, desc: { zh: D }, type: bool, required: true, enabled: { when: { target: b, equal: false } } }
- { key: b, name: { zh: N }, desc: { zh: D }, type: bool, required: true, enabled: { when: { target: a, equal: false } } }
`), nil)
	e := result.Manifest.Evaluate(nil)
	if e.Fields[0].Active || e.Fields[1].Active || len(e.Violations) > 0 {
		t.Errorf("got %+v", e)
	}
}

// Each type takes what its agents can read, from JSON and from a configuration file, and nothing else.
func TestEvaluateTypes(t *testing.T) {
	for _, tt := range []struct {
		item, value string // JSON
		want        any    // nil: no value
		text        string
		cause       string // of the violation
	}{
		{"type: string", `"a b"`, "a b", "a b", ""},
		{"type: string", `""`, nil, "", ""},
		{"type: string, default: x", `""`, "", "", ""},
		{"type: string", `"a#b"`, nil, "", "ML215"},
		{"type: string", `" a"`, nil, "", "ML215"},
		{"type: string", `"a\nb"`, nil, "", "ML215"},
		{"type: string", `"\"a\""`, nil, "", "ML215"},
		{"type: string", `5`, nil, "", "ML201"},
		{"type: string, len: 2", `"值值"`, "值值", "值值", ""},
		{"type: string, len: 2", `"值值值"`, nil, "", "ML206"},
		{"type: string, str_valid: '[a-z]+'", `"abc"`, "abc", "abc", ""},
		{"type: string, str_valid: '[a-z]+'", `"abc1"`, nil, "", "ML205"},
		{"type: string, str_valid: 'a|b'", `"ab"`, nil, "", "ML205"},
		{"type: enum, enum_valid: [ a, 1.0 ]", `"1.0"`, "1.0", "1.0", ""},
		{"type: enum, enum_valid: [ a, 1.0 ]", `"1"`, nil, "", "ML202"},
		{"type: enum, enum_valid: [ a ]", `["a"]`, nil, "", "ML201"},
		{"type: csv", `["a","b"]`, []string{"a", "b"}, "a,b", ""},
		{"type: csv", `"a, b"`, []string{"a", "b"}, "a,b", ""},
		{"type: csv", `[]`, nil, "", ""},
		{"type: csv, default: [ x ]", `[]`, []string{}, "", ""},
		{"type: int, default: 1", `""`, nil, "", ""},
		{"type: csv", `[1,true]`, []string{"1", "true"}, "1,true", ""},
		{"type: csv", `["a,b"]`, nil, "", "ML215"},
		{"type: csv", `[["a"]]`, nil, "", "ML201"},
		{"type: csv", `[""]`, nil, "", "ML215"},
		{"type: csv, len: 1", `["a","b"]`, nil, "", "ML206"},
		{"type: csv, csv_valid: [ a ]", `["b"]`, nil, "", "ML203"},
		{"type: int", `-5`, int64(-5), "-5", ""},
		{"type: int", `5.0`, int64(5), "5", ""},
		{"type: int", `5e2`, int64(500), "500", ""},
		{"type: int", `5.5`, nil, "", "ML201"},
		{"type: int", `"+5"`, int64(5), "5", ""},
		{"type: int", `"0x5"`, nil, "", "ML201"},
		{"type: int", `9223372036854775807`, int64(9223372036854775807), "9223372036854775807", ""},
		{"type: int", `9223372036854775808`, nil, "", "ML211"},
		{"type: int", `true`, nil, "", "ML201"},
		{"type: int, min: 1", `0`, nil, "", "ML204"},
		{"type: int", `""`, nil, "", ""},
		{"type: uint", `18446744073709551615`, uint64(18446744073709551615), "18446744073709551615", ""},
		{"type: uint", `-1`, nil, "", "ML211"},
		{"type: float", `1.5`, 1.5, "1.5", ""},
		{"type: float", `"1e400"`, nil, "", "ML211"},
		{"type: float", `"NaN"`, nil, "", "ML201"},
		{"type: float, max: 1", `1.01`, nil, "", "ML204"},
		{"type: bool", `true`, true, "true", ""},
		{"type: bool", `"false"`, false, "false", ""},
		{"type: bool", `1`, nil, "", "ML201"},
		{"type: naddr", `"[::1]:80"`, "[::1]:80", "[::1]:80", ""},
		{"type: naddr", `"host"`, nil, "", "ML207"},
		{"type: path, allow_relative: false", `"a/b"`, nil, "", "ML208"},
		{"type: path, allow_relative: true", `"a/b"`, "a/b", "a/b", ""},
		{"type: bytes", `"10 MiB"`, uint64(10 << 20), "10 MiB", ""},
		{"type: bytes", `10`, nil, "", "ML201"},
		{"type: bytes, max: 9.9MiB", `"10MiB"`, nil, "", "ML204"},
		{"type: duration", `"1h30m"`, 90 * 60 * 1e9, "1h30m", ""},
		{"type: duration", `"-1s"`, nil, "", "ML210"},
		{"type: uuid", `"$HOSTNAME"`, "$HOSTNAME", "$HOSTNAME", ""},
		{"type: uuid", `"a b"`, nil, "", "ML212"},
		{"type: uuid", `{"a":1}`, nil, "", "ML201"},
	} {
		m := load(t, "- { key: k, required: false, "+tt.item+" }")
		e := m.Evaluate(decode(t, `{"k":`+tt.value+`}`))
		f := e.Field("k")
		got := f.Value.Data
		if d, ok := tt.want.(float64); ok && m.Items[0].Type == manifest.TypeDuration {
			tt.want = int64(d)
			got = reflect.ValueOf(got).Int()
		}
		cause := ""
		if len(e.Violations) > 0 {
			cause = string(e.Violations[0].Cause)
		}
		if !reflect.DeepEqual(got, tt.want) || f.Value.Text != tt.text || cause != tt.cause || len(e.Violations) > 1 {
			t.Errorf("%s, %s: got %#v (%q, %s), want %#v (%q, %s)", tt.item, tt.value, f.Value.Data, f.Value.Text, violations(e), tt.want, tt.text, tt.cause)
		}
	}
}

// A relative path is a warning while the manifest does not say whether it may be: the value is used.
func TestEvaluateRelativePath(t *testing.T) {
	e := load(t, "- { key: k, type: path, required: false }").Evaluate(map[string]any{"k": "./x"})
	if got := violations(e); got != "k ML503 ML208 warning" || e.Err() != nil || e.Field("k").Value.Text != "./x" {
		t.Errorf("got %q, %v", got, e.Field("k"))
	}
}

// Numbers come as Go programs have them, too.
func TestEvaluateGoValues(t *testing.T) {
	m := load(t, "- { key: i, type: int, required: false }\n- { key: f, type: float, required: false }\n- { key: c, type: csv, required: false }\n")
	e := m.Evaluate(map[string]any{"i": 5, "f": 2.0, "c": []string{"a"}})
	want := map[string]any{"i": int64(5), "f": 2.0, "c": []string{"a"}}
	if got := e.Values(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if got := slices.Sorted(maps.Keys(e.Values())); len(got) != 3 {
		t.Errorf("got %v", got)
	}
}
