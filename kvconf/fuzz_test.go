package kvconf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// addFiles gives the files of testdata to a fuzz target.
func addFiles(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/*/*.conf")
	if err != nil || len(files) == 0 {
		f.Fatal("no files", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

// No input panics or hangs, errors have a place within the input, and all ways to read it agree.
func FuzzDecode(f *testing.F) {
	addFiles(f)
	f.Add([]byte(broken))
	f.Add([]byte("s = x\nl = [\"a\"]\nstr = [{\"dev\":\"8:0\",\"read_bytes\":\"1.5K\"}]\nms = {\"a\":{}}\nm.a = 1\na = null\nj = {\"a\":[1,2.5e3,true]}\nd = 1h\nadr = ::1\nll = [[\"a\"]]"))
	f.Add([]byte(`obj = [{"s":"","b":true,"i":-1,"u":1,"f":1.5,"d":"1h","z":"1K","raw":"x","adr":"::1","p":null,"l":["1s"],"m":{"::1":2},"a":[{}],"j":[1],"arr":[true,false],"self":[{}],"e":"x"}]`))
	f.Add([]byte("by.1 = {\"s\":\"x\"}\nby = {\"-1\":null}\nsec.x = 1\nsec.y.z = 2\nopt.a = \nla = [::1]:80,[::2]:81\nlp = [null]\npl = a,b\nlz = 1K,2MiB\nlvl ="))
	f.Fuzz(func(t *testing.T, data []byte) {
		var direct, indirect everything
		err := kvconf.NewDecoder(bytes.NewReader(data)).Decode(&direct)
		checkErrors(t, data, err)
		doc, parseErr := kvconf.Parse(data)
		checkErrors(t, data, parseErr)
		if got := doc.Bytes(); !bytes.Equal(got, data) {
			t.Fatalf("the document gives %q", got)
		}
		entryErr := kvconf.NewEntryDecoder(doc.Entries()).Decode(&indirect)
		if parseErr == nil && (text(err) != text(entryErr) || !reflect.DeepEqual(direct, indirect)) {
			t.Fatalf("decoded from the file: %v\nfrom its entries: %v", err, entryErr)
		}
		var m map[string]string
		var a map[string]any
		mapErr := kvconf.Unmarshal(data, &m)
		if anyErr := kvconf.Unmarshal(data, &a); text(mapErr) != text(anyErr) || len(m) != len(a) {
			t.Fatalf("maps differ: %v and %v", mapErr, anyErr)
		}
		tolerant := kvconf.NewDecoder(bytes.NewReader(data)).Tolerant()
		m = nil
		if err := tolerant.Decode(&m); text(err) != text(parseErr) {
			t.Fatalf("tolerant: %v, Parse: %v", err, parseErr)
		}
		for _, key := range doc.Keys() {
			if value, ok := doc.Get(key); parseErr == nil && (!ok || m[key] != value) {
				t.Fatalf("%q is %q in the document and %q in the map", key, value, m[key])
			}
		}
		if mapErr == nil && len(tolerant.Findings()) > 0 {
			t.Fatalf("findings %v in a file without errors", tolerant.Findings())
		}
	})
}

// text gives what an error says, with all that it shows of the file.
func text(err error) string {
	if all := (kvconf.Errors)(nil); errors.As(err, &all) {
		return all.Detail()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// checkErrors checks that each problem has a kind, a message and a place in data.
func checkErrors(t *testing.T, data []byte, err error) {
	t.Helper()
	if err == nil {
		return
	}
	all, ok := err.(kvconf.Errors)
	if !ok || len(all) == 0 {
		t.Fatalf("%T %v is not Errors", err, err)
	}
	lines := strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	for _, e := range all {
		if e.Kind == nil || e.Msg == "" || strings.ContainsAny(e.Error(), "\n\x00\x1b") {
			t.Fatalf("a problem without kind or message, or with control characters: %+v", e)
		}
		if strings.Contains(e.Msg, "more problems") {
			continue
		}
		if e.Line < 1 || e.Line > len(lines) {
			t.Fatalf("there is no line %d for %v", e.Line, e)
		}
		if width := utf8.RuneCountInString(lines[e.Line-1]); e.Column < 1 || e.Column > width+1 {
			t.Fatalf("there is no column %d in a line of %d for %v", e.Column, width, e)
		}
		if strings.Count(e.Detail(), "\n") > 2 {
			t.Fatalf("the detail has too many lines: %q", e.Detail())
		}
	}
}

// A changed setting is read as it was set, and nothing else changes.
func FuzzSet(f *testing.F) {
	f.Add([]byte("a = 1 # c\r\nb=2\n"), "a", "x #y")
	f.Add([]byte("a.b =\na.c = \"1\""), "a.d", "\n")
	f.Add([]byte("\ufeff# x"), "k", " ")
	f.Fuzz(func(t *testing.T, data []byte, key, value string) {
		doc, parseErr := kvconf.Parse(data)
		if strings.HasPrefix(string(data), "\xff\xfe") || strings.HasPrefix(string(data), "\xfe\xff") {
			return
		}
		before := doc.Entries()
		if err := doc.Set(key, value); err != nil {
			if !errors.Is(err, kvconf.ErrUnwritable) || !bytes.Equal(doc.Bytes(), data) {
				t.Fatalf("Set: %v, and the document is %q", err, doc.Bytes())
			}
			return
		}
		again, err := kvconf.Parse(doc.Bytes())
		if (err == nil) != (parseErr == nil) {
			t.Fatalf("Parse: %v, and after Set: %v", parseErr, err)
		}
		if got, ok := again.Get(key); !ok || got != value {
			t.Fatalf("%q was set to %q and is read as %q in %q", key, value, got, doc.Bytes())
		}
		after := again.Entries()
		last := -1
		for i, e := range after {
			if e.Key == key {
				last = i
			}
		}
		old := before
		if len(after) > len(before) {
			after = append(after[:last:last], after[last+1:]...)
		} else {
			old = append(before[:last:last], before[last+1:]...)
			after = append(after[:last:last], after[last+1:]...)
		}
		if len(after) != len(old) {
			t.Fatalf("%d other settings became %d", len(old), len(after))
		}
		for i := range after {
			if after[i].Key != old[i].Key || after[i].Value != old[i].Value {
				t.Fatalf("another setting changed from %v to %v", old[i], after[i])
			}
		}
		if !doc.Delete(key) {
			t.Fatal("the key cannot be deleted")
		}
		if again, _ := kvconf.Parse(doc.Bytes()); !reflect.DeepEqual(again.Keys(), doc.Keys()) {
			t.Fatalf("after Delete the keys are %q, and read again %q", doc.Keys(), again.Keys())
		}
	})
}

// Every value that is not refused is read as it was written, and agents of the field get what they can read.
func FuzzRoundTrip(f *testing.F) {
	f.Add("text", "a", int64(-1), uint64(10_000_000), 1.5, true, []byte("x"))
	f.Add(" #\n", "\"", int64(0), uint64(1024), 1e300, false, []byte(nil))
	f.Fuzz(func(t *testing.T, s, key string, i int64, u uint64, x float64, b bool, raw []byte) {
		v := everything{
			S: s, I64: i, U64: u, F64: x, F32: float32(x), B: b, D: time.Duration(i), Z: u, Raw: raw, PS: &s, L: strings.Split(s, " "), LP: []*string{&s, nil},
			LL: [][]string{{s}, nil}, Arr: [2]string{s, key}, Str: []disk{{Dev: s, ReadBytes: u, WriteIOPS: u}}, PSt: []*disk{nil, {Dev: key}},
			Obj: []member{{S: s, D: time.Duration(i), Z: int32(u >> 33), Raw: raw, A: s, J: json.RawMessage("1"), Embedded: &Embedded{s}}},
			M:   map[string]string{key: s}, MS: map[string]disk{key: {Dev: s}}, A: s, J: json.RawMessage("null"), LF: []float64{x}, LZ: []uint64{u},
		}
		v.Sec.X, v.Sec.Y.Z = key, int(int32(i))
		checkRoundTrip(t, v)
		checkRoundTrip(t, map[string]string{key: s})
		checkRoundTrip(t, map[string]any{key: s, "x": nil})
		checkRoundTrip(t, one[string]{s})
		checkRoundTrip(t, one[[]string]{v.L})
		checkRoundTrip(t, one[map[string]string]{v.M})
		var out bytes.Buffer
		if err := kvconf.NewEncoder(&out).Dialect(kvconf.DialectField).Encode(map[string]string{key: s}); err != nil {
			return
		}
		if k, v := readByField(out.String()); k != key || v != s {
			t.Fatalf("%q = %q is written for agents of the field as %q, and read as %q = %q", key, s, out.String(), k, v)
		}
		var m map[string]string
		if err := kvconf.Unmarshal(out.Bytes(), &m); err != nil || m[key] != s {
			t.Fatalf("%q is read as %q, %v", out.String(), m, err)
		}
	})
}

func checkRoundTrip[T any](t *testing.T, v T) {
	t.Helper()
	out, err := kvconf.Marshal(v)
	if err != nil {
		if !errors.Is(err, kvconf.ErrUnwritable) {
			t.Fatalf("%v: %v", v, err)
		}
		return
	}
	var back T
	if err := kvconf.Unmarshal(out, &back); err != nil || !reflect.DeepEqual(back, v) {
		t.Fatalf("%#v was written as\n%s\nand read as %#v, %v", v, out, back, err)
	}
}

// readByField reads one line as agents of the field do: what is behind any "#" is cut off, then the blanks at the edges.
func readByField(line string) (key, value string) {
	line = strings.TrimSuffix(line, "\n")
	if i := strings.IndexByte(line, '#'); i >= 0 && i+1 < len(line) {
		line = line[:i]
	}
	key, value, _ = strings.Cut(strings.TrimSpace(line), "=")
	return strings.TrimSpace(key), strings.TrimSpace(value)
}

// A JSON value is read as encoding/json reads it, or refused.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`[{"dev":"8:0","read_iops":1000,"write_iops":null}]`, `[]`, `[null,{}]`, `{"a":[1,-2.5e-3,"\u00e9\ud83d\ude00\n",true,false,null,{"b":{}}]}`, `"x"`,
		`[1,]`, `{"a" 1}`, `[01]`, `{"a":1,"a":2}`, `[[[[]]]]`, `{"":""}`, `1e999`, `"\ud800"`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\n") || !utf8.ValidString(text) {
			return
		}
		entries := []kvconf.Entry{{Key: "v", Value: text}}
		var list, listWant one[[]any]
		var object, objectWant one[map[string]any]
		err := kvconf.NewEntryDecoder(entries).Decode(&list)
		compareJSON(t, text, "[", err, list.V, &listWant.V)
		err = kvconf.NewEntryDecoder(entries).Decode(&object)
		compareJSON(t, text, "{", err, object.V, &objectWant.V)
		var disks one[[]disk]
		var disksWant []struct {
			Dev       string `json:"dev"`
			ReadIOPS  uint64 `json:"read_iops"`
			WriteIOPS uint64 `json:"write_iops"`
		}
		if err := kvconf.NewEntryDecoder(entries).Decode(&disks); err != nil || !strings.HasPrefix(text, "[") || strings.Contains(text, "bytes") {
			return
		}
		if err := json.Unmarshal([]byte(text), &disksWant); err != nil {
			t.Fatalf("%s is taken, but not by encoding/json: %v", text, err)
		}
		for i, d := range disksWant {
			if got := disks.V[i]; got.Dev != d.Dev || got.ReadIOPS != d.ReadIOPS || got.WriteIOPS != d.WriteIOPS {
				t.Fatalf("%s is read as %+v, want %+v", text, got, d)
			}
		}
	})
}

// compareJSON checks that got, which was read from text with err, is what encoding/json makes of it. A text that does not start
// as it must is no JSON value for the type.
func compareJSON[T any](t *testing.T, text, start string, err error, got T, want *T) {
	t.Helper()
	if !strings.HasPrefix(text, start) {
		return
	}
	jsonErr := json.Unmarshal([]byte(text), want)
	if err == nil && (jsonErr != nil || !reflect.DeepEqual(got, *want)) {
		t.Fatalf("%s is read as %#v, by encoding/json as %#v, %v", text, got, *want, jsonErr)
	}
	if err != nil && jsonErr == nil && !errors.Is(err, kvconf.ErrDuplicateKey) && !strings.Contains(err.Error(), "wrong escape") &&
		!strings.Contains(err.Error(), "deep") {
		t.Fatalf("%s is refused, but not by encoding/json: %v", text, err)
	}
}
