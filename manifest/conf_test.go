package manifest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/manifest"
)

const confManifest = `- { key: basic.id, type: uuid, required: true }
- { key: basic.server, type: naddr, required: true, default: 127.0.0.1:13081 }
- { key: log.target, type: csv, required: true, csv_valid: [ stdout, file ], default: [ stdout, file ] }
- { key: log.dir, type: path, required: true, allow_relative: false, enabled: { when: { target: log.target, contain: file } } }
- { key: log.size, type: bytes, required: true, default: 10M, min: 1M, enabled: { when: { target: log.target, contain: file } } }
- { key: log.rotate, type: uint, required: false, default: 7, min: 1 }
- { key: on, type: bool, required: false, default: true }
- { key: every, type: duration, required: false, default: 30s, min: 1s, enabled: { when: { target: on, equal: true } } }
- { key: greeting, type: string, required: false, len: 5 }
- { key: work.dir, type: path, required: false }
`

// A configuration file is judged as the agents in the field will read it, and each finding is where its author has to look.
func TestParseConf(t *testing.T) {
	m := load(t, confManifest)
	const head = "basic.id = a\nlog.dir = /l\n" // what is required, in two lines
	for _, tt := range []struct{ name, conf, want string }{
		{"fine", head, ""},
		{"fine with comments and blanks", "# c\n\n  basic.id=a   # the id\nlog.dir =/l#\n\t\n", ""},
		{"CRLF", strings.ReplaceAll(head, "\n", "\r\n"), ""},
		{"nothing", "", "ML502 1:44, ML502 4:44"},
		{"commented out", "# basic.id = a\n#log.dir = /l\n", "ML502 1:44, ML502 4:44"},
		{"inactive is not required", "basic.id = a\nlog.target = stdout\n", "ML504 2:14"},
		{"unknown", head + "greting = x\n  unknown.key = 1\n", "ML501 3:1, ML501 4:3"},
		{"without the section basic", "id = a\nserver = h:1\nlog.dir = /l\n", "ML504 2:10"},
		{"twice", head + "basic.id = b\n", "ML506 3:1"},
		{"twice, once without the section", head + "id = b\n", "ML506 3:1"},
		{"no equals sign", head + "greeting hello\n   [log]\n", "ML505 3:1, ML505 4:4"},
		{"the equals sign in a comment", head + "greeting # = hello\n", "ML505 3:1"},
		{"no key", head + " = hello\n", "ML505 3:2"},
		{"a value that is none", head + "log.size = 10Q\nlog.rotate = many\non = maybe\nevery = 1d\n", "ML503 3:12, ML503 4:14, ML503 5:6, ML503 6:9"},
		{"an empty value that is none", head + "log.rotate =\n", "ML503 3:13"},
		{"an empty value", head + "greeting =\n", ""},
		{"an empty value that is required", head + "basic.server =\n", "ML503 3:15"},
		{"below the minimum", head + "log.size = 1K\n", "ML503 3:12"},
		{"a member", head + "log.target = stdout,udp\n", "ML503 3:21"},
		{"a blank behind a comma", head + "log.target = stdout, file\n", "ML503 3:22 warning"},
		{"blanks around a comma", head + "log.target = file ,stdout\n", "ML503 3:14 warning, ML504 3:14"},
		{"an empty member", head + "log.target = stdout,,file\n", "ML503 3:21"},
		{"a relative path", "basic.id = a\nlog.dir = l\n", "ML503 2:11"},
		{"a relative path that is not forbidden", head + "work.dir = l\n", "ML503 3:12 warning"},
		{"too long", head + "greeting = 值值值值值值\n", "ML503 3:12"},
		{"another value", head + "log.size = 20M\nlog.rotate = 3\n", "ML504 3:12, ML504 4:14"},
		{"the default in other words", head + "log.size = 10,000KB\nevery = 0.5m\n", ""},
		{"not active", head + "on = false\nevery = 10s\n", "ML504 3:6, ML507 4:1"},
		{"not active and not valid", head + "on = false\nevery = ten\n", "ML504 3:6, ML507 4:1, ML503 4:9"},
		{"cut", head + "greeting = a#b\n", "ML508 3:12"},
		{"cut at the start", head + "greeting =#b\n", "ML508 3:11"},
		{"cut within quotes", head + "greeting = \"a # b\"\n", "ML508 3:12"},
		{"a comment", head + "greeting = a # b\n", ""},
		{"a number sign at the end", head + "greeting = C#\n", ""},
		{"quotes", head + "greeting = \"a\"\n", "ML503 3:12 warning"},
		{"quotes around a number", head + "log.rotate = \"7\"\n", "ML503 3:14"},
		{"what agents write for what is not set", head + "log.size = 0 B\nlog.rotate = 0\nevery = null\n", ""},
		{"null for what is required", "basic.id = null\nlog.dir = /l\n", "ML502 1:44"},
		{"a byte order mark", "\ufeff" + head, "ML505 1:1"},
		{"GBK", head + "greeting = \xc3\xfb\n", "ML505 3:12"},
		{"UTF-16", "\xff\xfea\x00", "ML502 1:44, ML502 4:44, ML505 1:1"},
		{"an ignore comment", head + "greeting = a#b # manifest-lint ignore=ML508\n", ""},
		{"an ignore comment above", head + "# manifest-lint ignore=ML501,ML504\n\nunknown = 1\nunknown = 2\n", "ML015 3:1, ML501 6:1, ML506 6:1"},
		{"a long line", "basic.id = a\n# " + strings.Repeat("x", 70_000) + "\nlog.dir = /l\n", "ML502 4:44, ML505 2:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := m.ParseConf([]byte(tt.conf), nil)
			var got []string
			for _, f := range conf.Findings {
				place := places([]manifest.Finding{f})
				if f.Rule == "ML503" && f.Severity == manifest.Warning {
					place += " warning"
				}
				if f.Conf != (f.Rule != "ML502") {
					t.Errorf("%s is in the wrong file", place)
				}
				got = append(got, place)
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("got %q, want %q\n%s", got, tt.want, lines(conf.Findings))
			}
		})
	}
}

// The files that agents of the field have, before and after an id was assigned, have no errors.
func TestParseConfOfTheField(t *testing.T) {
	data, err := os.ReadFile("testdata/metrics/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/metrics/metrics-*.conf")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		conf, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range m.ParseConf(conf, nil).Findings {
			known := f.Rule == "ML501" && f.Key == "basic.limit.disk_limit" || f.Severity == manifest.Info
			empty := strings.Contains(name, "put-none") && f.Key == "task.jobs" // the operator switched all jobs off
			relative := f.Key == "basic.log.dir"
			if !known && !empty && !relative {
				t.Errorf("%s: %s", name, f.String())
			}
		}
	}
}

// A new file has what is active, in groups, with the words of the manifest above each setting.
func TestWriteConf(t *testing.T) {
	m, err := manifest.Load([]byte(`
- { key: b.on, type: bool, name: { zh: 开关, en: Switch }, desc: { zh: 开关, en: Switch }, required: false, default: true, category: second }
- { key: a, type: string, name: { zh: 名称 }, desc: { zh: "第一行\n\n  第二行" }, required: false }
- { key: b.every, type: duration, name: { zh: 间隔, en: Interval }, desc: { zh: 两次之间, en: "time between\ttwo" }, required: true, default: 30s, category: second, enabled: { when: { target: b.on, equal: true } } }
- { key: c, type: csv, name: { zh: 列表 }, desc: { zh: 列表 }, required: false, default: [ x, y ], category: first }
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ values, lang, want string }{
		{`{}`, "en", "# ---- second ----\n\n# Switch\nb.on = true\n\n# Interval\n# time between two\nb.every = 30s\n\n# ---- first ----\n\n# 列表\nc = x,y\n"},
		{`{"a":"text","b":{"on":false,"every":"5s"},"c":[]}`, "zh", "# 名称\n# 第一行\n# 第二行\na = text\n\n# ---- second ----\n\n# 开关\nb.on = false\n\n# ---- first ----\n\n# 列表\nc =\n"},
	} {
		e := m.Evaluate(decode(t, tt.values))
		got, err := m.WriteConf(nil, e, tt.lang)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %v\n%s", tt.values, err, got)
		}
		if found := m.ParseConf(got, nil).Findings; len(found) > 0 && found[0].Severity > manifest.Info {
			t.Errorf("%s: what was written has findings:\n%s", tt.values, lines(found))
		}
	}
	_, err = m.WriteConf(nil, m.Evaluate(decode(t, `{"b.every":"no"}`)), "en")
	if vs := (manifest.Violations)(nil); !errors.As(err, &vs) || len(vs) != 1 || vs[0].Key != "b.every" || !strings.Contains(err.Error(), "b.every: ") {
		t.Errorf("got %v", err)
	}
}

// No value, of whatever type, makes a line of its own in the file: it would be another setting.
func TestWriteConfHoldsOneLineEach(t *testing.T) {
	const line = "- { key: %s, type: %s, name: { zh: N }, desc: { zh: D }, required: false, enum_valid: [ {} ] }\n"
	values := map[string]any{
		"string": "a\nb = 1", "enum": "a\nb = 1", "bytes": "1\nMB", "naddr": "[fe80::1%a\nb = 1]:80", "path": "/a\nb = 1", "uuid": "a\nb=1",
		"csv": []any{"a\nb = 1"}, "duration": "1s\nb", "float": "1\n2", "unknown": "a\nb = 1",
	}
	for typ, value := range values {
		// A manifest with findings, of which what is right is used.
		m := manifest.Check(fmt.Appendf(nil, line, "a."+typ, typ), nil).Manifest
		e := m.Evaluate(map[string]any{"a." + typ: value})
		if text, err := m.WriteConf(nil, e, "en"); err == nil {
			t.Errorf("%s: %q is written as %q", typ, value, text)
		}
	}
}

func withoutBlanks(text string) string { return strings.ReplaceAll(text, " ", "") }

// A file that is there keeps every byte that need not change: comments, order, other keys, the way numbers are written.
func TestWriteConfInPlace(t *testing.T) {
	m := load(t, confManifest)
	const old = "# my agent\r\nid = a   # its name\r\nmine = 1\r\n\r\nlog.size=10,000KB\r\nlog.dir=/l # here\r\nevery = 5s\r\non = true\r\n"
	for _, tt := range []struct{ values, want string }{
		{`{"basic.id":"a","log.dir":"/l","every":"5s"}`, old + "basic.server = 127.0.0.1:13081\r\nlog.target = stdout,file\r\nlog.rotate = 7\r\n"},
		{`{"basic.id":"b","log.target":["stdout"],"on":false}`, "# my agent\r\nid = b   # its name\r\nmine = 1\r\n\r\non = false\r\n"},
	} {
		e := m.Evaluate(decode(t, tt.values))
		got, err := m.WriteConf([]byte(old), e, "en")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(tt.want) {
			if !strings.Contains(withoutBlanks(string(got)), withoutBlanks(line)) {
				t.Errorf("%s: the line %q is missing in\n%s", tt.values, line, got)
			}
		}
		for _, key := range []string{"log.dir", "log.size", "every"} {
			if strings.Contains(string(got), key) != strings.Contains(tt.want, key) {
				t.Errorf("%s: %s in\n%s", tt.values, key, got)
			}
		}
		if strings.Contains(strings.ReplaceAll(string(got), "\r\n", ""), "\n") {
			t.Errorf("%s: line ends are mixed:\n%q", tt.values, got)
		}
		again := m.ParseConf(got, nil)
		if err := again.Evaluation.Err(); err != nil {
			t.Errorf("%s: %v", tt.values, err)
		}
	}
	if _, err := m.WriteConf([]byte("no setting\n"), m.Evaluate(decode(t, `{"basic.id":"a","log.dir":"/l"}`)), "en"); err == nil {
		t.Error("a file with a wrong line was edited")
	}
}
