package kvconf_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

type disk struct {
	Dev        string `kv:"dev"`
	ReadBytes  uint64 `kv:"read_bytes,bytes"`
	WriteBytes uint64 `kv:"write_bytes,bytes"`
	ReadIOPS   uint64 `json:"read_iops"`
	WriteIOPS  uint64 `json:"write_iops,omitempty"`
	Untagged   int
}

func TestJSONOfStructs(t *testing.T) {
	good(t, `[{"dev":"8:0","read_bytes":"10M","write_bytes":1024,"read_iops":1000,"write_iops":1000}]`,
		[]disk{{Dev: "8:0", ReadBytes: 10_000_000, WriteBytes: 1024, ReadIOPS: 1000, WriteIOPS: 1000}})
	good(t, ` [ { "dev" : "8:0" } , { } ] `, []disk{{Dev: "8:0"}, {}})
	good(t, `[{"dev":"\u0038:0\n\ud83d\ude00"}]`, []disk{{Dev: "8:0\n😀"}})
	good(t, `'[{"dev":"a #b"}]'`, []disk{{Dev: "a #b"}})
	good(t, `{"sda":{"read_iops":1}}`, map[string]disk{"sda": {ReadIOPS: 1}})
	good(t, `[null]`, []*disk{nil})
	good(t, `{"1":2,"-3":4}`, map[int8]int{1: 2, -3: 4})
	refused[[]disk](t, `[{"dev":8}]`, kvconf.ErrValue, "line 1:13: v[0].dev: in the JSON value, a string is expected, not '8'")
	refused[[]disk](t, `[{"read_bytes":"10Q"}]`, kvconf.ErrValue, `line 1:20: v[0].read_bytes: "10Q" is not a size`)
	refused[[]disk](t, `[{"read_bytes":-1}]`, kvconf.ErrRange, "not negative")
	refused[[]disk](t, `[{"dve":"8:0"}]`, kvconf.ErrUnknownKey, "line 1:7: v[0].dve: unknown key; did you mean dev?")
	refused[[]disk](t, `[{"Untagged":1}]`, kvconf.ErrUnknownKey, "unknown key")
	refused[[]disk](t, `[{"dev":"8:0"}`, kvconf.ErrValue, `the JSON value ends too early: "," or "]" is missing`)
	refused[[]disk](t, `[{"dev":"8:0"}] x`, kvconf.ErrValue, "there is more behind the JSON value")
	refused[[]disk](t, `[{"dev":"8:0",}]`, kvconf.ErrValue, "a name in quotes is expected")
	refused[[]disk](t, `{"dev":"8:0"}`, kvconf.ErrValue, `"[" is expected, not '{'`)
	refused[[]disk](t, `[{"dev":"8:0" "read_iops":1}]`, kvconf.ErrValue, `"," or "}" is expected`)
	refused[[]disk](t, `[{"dev":"\ud800"}]`, kvconf.ErrValue, "wrong escape")
	refused[[]disk](t, `[{"dev":"abc}]`, kvconf.ErrValue, "not closed")
	refused[[]disk](t, `[{"dev":tru}]`, kvconf.ErrValue, "a value is expected, not 't'")
	refused[map[int8]int](t, `{"300":1}`, kvconf.ErrRange, "not between")
	refused[map[string]int](t, `{"a":01}`, kvconf.ErrValue, `"," or "}" is expected`)
}

// What a JSON object has twice is found, as for keys of the file.
func TestDuplicateNamesInJSON(t *testing.T) {
	for _, text := range []string{`[{"dev":"8:0","dev":"8:1"}]`, `[{"dev":"8:0","read_iops":1,"dev":"8:1"}]`} {
		var v struct {
			V []disk `kv:"v"`
		}
		d := kvconf.NewDecoder(strings.NewReader("v = " + text)).Tolerant()
		if err := d.Decode(&v); err != nil || len(d.Findings()) != 1 || v.V[0].Dev != "8:1" {
			t.Errorf("%s: %v, findings %v, %+v", text, err, d.Findings(), v)
		}
		if err := kvconf.Unmarshal([]byte("v = "+text), &v); !errors.Is(err, kvconf.ErrDuplicateKey) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := kvconf.Unmarshal([]byte(`v = {"a":1,"a":2}`), &struct {
		V map[string]int `kv:"v"`
	}{}); !errors.Is(err, kvconf.ErrDuplicateKey) {
		t.Errorf("map: %v", err)
	}
}

type tree struct {
	Name string           `kv:"name"`
	Kids []tree           `kv:"kids"`
	By   map[string]*tree `kv:"by"`
}

func TestTypeThatContainsItself(t *testing.T) {
	good(t, `[{"name":"a","kids":[{"name":"b","by":{"x":{"name":"c"}}}]}]`,
		[]tree{{Name: "a", Kids: []tree{{Name: "b", By: map[string]*tree{"x": {Name: "c"}}}}}})
	type list []list
	good(t, "[[],[[]]]", list{{}, {{}}})
}

func TestJSONUnmarshaler(t *testing.T) {
	good(t, `{"a": [1, "x"]}`, json.RawMessage(`{"a": [1, "x"]}`))
	good(t, `[{"a":1}, 2]`, []json.RawMessage{json.RawMessage(`{"a":1}`), json.RawMessage("2")})
	refused[json.RawMessage](t, `{"a": [1, "x"}`, kvconf.ErrValue, `"," or "]" is expected`)
}

func TestDepthIsBounded(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	refused[[]any](t, deep, kvconf.ErrValue, "nested more than 200 deep")
	refused[json.RawMessage](t, deep, kvconf.ErrValue, "nested more than 200 deep")
	type list []list
	refused[list](t, deep, kvconf.ErrValue, "nested more than 200 deep")
}

// Each kind of Go value takes the JSON values that are of its kind, and refuses all others with a place.
func TestEveryKindInJSON(t *testing.T) {
	type object struct {
		S   string           `kv:"s"`
		B   bool             `kv:"b"`
		I   int8             `kv:"i"`
		U   uint8            `kv:"u"`
		F   float32          `kv:"f"`
		D   time.Duration    `kv:"d"`
		Z   int16            `kv:"z,bytes"`
		Raw []byte           `kv:"raw"`
		T   netip.Addr       `kv:"t"`
		P   *int8            `kv:"p"`
		L   []string         `kv:"l"`
		M   map[string]int8  `kv:"m"`
		O   *object2         `kv:"o"`
		A   any              `kv:"a"`
		J   *json.RawMessage `kv:"j"`
	}
	// Per value, the fields that take it.
	for value, takers := range map[string]string{
		`"x"`: "s raw a j", `""`: "s raw t a j", `"10"`: "s z raw a j", `"1K"`: "s z raw a j", `"1s"`: "s d raw a j", `"::1"`: "s raw t a j",
		`"null"`: "s raw a j", `"\u0031\u0030"`: "s z raw a j", `"\b\f\/\ud83d\ude00"`: "s raw a j",
		`1`: "i u f z p a j", `-1`: "i f p a j", `1.5`: "f z a j", `1e2`: "f a j", `300`: "f z a j", `1e39`: "a j", `0`: "i u f z p a j",
		`true`: "b a j", `false`: "b a j", `null`: "s b i u f d z raw t p l m o a j", `[]`: "l a j", `["a"]`: "l a j", `[1]`: "a j",
		`{}`: "m o a j", `{"x":1}`: "m o a j", `{"x":"a"}`: "a j", `[null]`: "l a j", `{"x":null}`: "m o a j", `{"x":{}}`: "a j", ` [ ] `: "l a j",
		`1e999`: "", `01`: "", `+1`: "", `.5`: "", `1.`: "", `1e`: "", `-`: "", `tru`: "", `nul`: "", `nulll`: "", `"`: "", `"a`: "", `"\`: "", `"\u12`: "",
		`"\ud800"`: "", `"\ud800\u0041"`: "", `"\ud800\uzzzz"`: "", `"\q"`: "", `"\u00zz"`: "", `[`: "", `[1`: "", `[1,`: "", `[,]`: "", `{`: "", `{"x"`: "",
		`{"x":`: "", `{"x":1`: "", `{"x":1,`: "", `{x:1}`: "", `{"x" 1}`: "", `'x'`: "", `#`: "", ``: "", `]`: "", `[1 2]`: "", `{"x":1}}`: "",
		"\"\t\"": "", `"a` + "\x7f" + `"`: "s raw a j", `{"x":1,"x":"y"}`: "j", `{"y":1}`: "m a j", `{"":300}`: "a j",
	} {
		for field := range strings.FieldsSeq("s b i u f d z raw t p l m o a j") {
			entry := kvconf.Entry{Key: "v", Value: fmt.Sprintf(`[{"%s":%s}]`, field, value), Line: 1, Column: 5}
			var v one[[]object]
			err := kvconf.NewEntryDecoder([]kvconf.Entry{entry}).Decode(&v)
			takes := slices.Contains(strings.Fields(takers), field)
			if takes != (err == nil) {
				t.Errorf("%s from %s: %v", field, value, err)
			}
			if err == nil {
				continue
			}
			e := err.(kvconf.Errors)[0]
			if e.Column < 5 || e.Column > 5+len(entry.Value) || !strings.HasPrefix(e.Key, "v[0]") && !strings.Contains(e.Msg, "JSON") {
				t.Errorf("%s from %s: an error without its place: %+v", field, value, e)
			}
		}
	}
}

type object2 struct {
	X int8 `kv:"x"`
}

func TestEmbeddedInJSON(t *testing.T) {
	type Deep struct {
		D int `json:"d"`
	}
	type Mid struct {
		*Deep
		E int `json:"e"`
	}
	type object struct {
		Mid
		deep       // settings, although the type is not exported
		*deep2     // cannot be set: not there
		Other  Mid `json:"-"`
	}
	good(t, `[{"d":1,"e":2,"b":3}]`, []object{{Mid: Mid{&Deep{1}, 2}, deep: deep{3}}})
	refused[[]object](t, `[{"c":1}]`, kvconf.ErrUnknownKey, "v[0].c: unknown key")
	type loop struct {
		*Deep
		Loops []loop `json:"loops"`
	}
	good(t, `[{"loops":[{"d":1}]}]`, []loop{{Loops: []loop{{Deep: &Deep{1}}}}})
}

// A struct that reads itself from JSON is a value, unless it has settings.
func TestStructWithUnmarshalJSON(t *testing.T) {
	good(t, `[1,2]`, point{1, 2})
	good(t, `null`, point{})
	refused[point](t, `[1`, kvconf.ErrValue, "ends too early")
	refused[point](t, `[1,"x"]`, kvconf.ErrValue, "cannot unmarshal")
	roundTrip(t, one[point]{point{3, 4}})
	var c struct {
		S sectionWithJSON `kv:"s"`
	}
	if err := kvconf.Unmarshal([]byte("s.x = 1"), &c); err != nil || c.S.X != 1 {
		t.Errorf("a section that knows JSON as well: %v, %+v", err, c)
	}
}

type point struct{ X, Y int }

func (p *point) UnmarshalJSON(text []byte) error {
	var pair [2]int
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	p.X, p.Y = pair[0], pair[1]
	return nil
}

func (p point) MarshalJSON() ([]byte, error) { return json.Marshal([2]int{p.X, p.Y}) }

type sectionWithJSON struct {
	X int `kv:"x"`
}

func (*sectionWithJSON) UnmarshalJSON([]byte) error { return errNoLuck }
