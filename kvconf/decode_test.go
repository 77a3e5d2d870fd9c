package kvconf_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// decodeOne decodes one value into a field of type T that holds start.
func decodeOne[T any](value string, start T) (T, error) {
	v := struct {
		V T `kv:"v"`
	}{start}
	err := kvconf.Unmarshal([]byte("v = "+value), &v)
	return v.V, err
}

// good checks that value becomes want, whatever the field held.
func good[T any](t *testing.T, value string, want T) {
	t.Helper()
	var zero T
	got, err := decodeOne(value, zero)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%T from %s: %#v, %v, want %#v", want, value, got, err, want)
	}
}

// keeps checks that value leaves what the field held.
func keeps[T any](t *testing.T, value string, held T) {
	t.Helper()
	got, err := decodeOne(value, held)
	if err != nil || !reflect.DeepEqual(got, held) {
		t.Errorf("%T from %s: %#v, %v, want %#v as before", held, value, got, err, held)
	}
}

// refused checks that value is an error of this kind with this text, and that the field keeps what it held, but
// for an unknown name within it.
func refused[T any](t *testing.T, value string, kind error, text string) {
	t.Helper()
	var held T
	got, err := decodeOne(value, held)
	if !errors.Is(err, kind) || !strings.Contains(fmt.Sprint(err), text) {
		t.Errorf("%T from %s: error %v, want %v with %q", held, value, err, kind, text)
	}
	if kind != kvconf.ErrUnknownKey && !reflect.DeepEqual(got, held) {
		t.Errorf("%T from %s: %#v in spite of the error", held, value, got)
	}
}

func TestIntegersOfEveryWidth(t *testing.T) {
	good(t, "127", int8(127))
	good(t, "-128", int8(-128))
	good(t, "+5", int8(5))
	good(t, "-32768", int16(-32768))
	good(t, "2147483647", int32(math.MaxInt32))
	good(t, "-9223372036854775808", int64(math.MinInt64))
	good(t, "255", uint8(255))
	good(t, "65535", uint16(65535))
	good(t, "4294967295", uint32(math.MaxUint32))
	good(t, "18446744073709551615", uint64(math.MaxUint64))
	good(t, "0", uint(0))
	good(t, "12", uintptr(12))
	refused[int8](t, "300", kvconf.ErrRange, "300 is not between -128 and 127")
	refused[int8](t, "-129", kvconf.ErrRange, "not between -128 and 127")
	refused[int16](t, "32768", kvconf.ErrRange, "not between -32768 and 32767")
	refused[int32](t, "2147483648", kvconf.ErrRange, "not between -2147483648 and 2147483647")
	refused[int64](t, "9223372036854775808", kvconf.ErrRange, "not between -9223372036854775808 and 9223372036854775807")
	refused[uint8](t, "256", kvconf.ErrRange, "not between 0 and 255")
	refused[uint16](t, "-1", kvconf.ErrRange, "not between 0 and 65535")
	refused[uint64](t, "18446744073709551616", kvconf.ErrRange, "not between 0 and 18446744073709551615")
	refused[int](t, "1.5", kvconf.ErrValue, `"1.5" is not a whole number`)
	refused[int](t, "0x10", kvconf.ErrValue, "not a whole number")
	refused[int](t, "1_000", kvconf.ErrValue, "not a whole number")
	refused[uint](t, "ten", kvconf.ErrValue, "not a whole number")
	refused[uint](t, "-", kvconf.ErrValue, "not a whole number")
}

func TestFloats(t *testing.T) {
	good(t, "1.5", 1.5)
	good(t, "-2e3", float32(-2000))
	good(t, "1e308", 1e308)
	refused[float32](t, "1e39", kvconf.ErrRange, "too large for float32")
	refused[float64](t, "1e309", kvconf.ErrRange, "too large for float64")
	refused[float64](t, "nan", kvconf.ErrValue, "not a number")
	refused[float64](t, "inf", kvconf.ErrValue, "not a number")
	refused[float64](t, "1,5", kvconf.ErrValue, "not a number")
}

func TestBool(t *testing.T) {
	for _, word := range []string{"true", "True", "TRUE", "t", "1"} {
		good(t, word, true)
	}
	if got, err := decodeOne("false", true); got || err != nil {
		t.Errorf("false: %v, %v", got, err)
	}
	refused[bool](t, "yes", kvconf.ErrValue, `"yes" is not true or false`)
}

func TestDuration(t *testing.T) {
	good(t, "1h30m", 90*time.Minute)
	good(t, "-500ms", -500*time.Millisecond)
	good(t, "0", time.Duration(0))
	refused[time.Duration](t, "30", kvconf.ErrValue, `"30" has no unit; seconds are 30s`)
	refused[time.Duration](t, "2d", kvconf.ErrValue, "write 48h")
	refused[time.Duration](t, "soon", kvconf.ErrValue, "not a duration such as 500ms")
	refused[time.Duration](t, "9999999h", kvconf.ErrRange, "longer than 292 years")
}

func TestStrings(t *testing.T) {
	good(t, "a#b", "a#b")
	good(t, `"a #b"`, "a #b")
	good(t, "x # y", "x")
	good(t, "null", "null")
	good(t, "bytes", []byte("bytes"))
	good(t, "  padded\t", "padded")
	type word string
	good(t, "w", word("w"))
}

func TestTextUnmarshaler(t *testing.T) {
	good(t, "192.0.2.1", netip.MustParseAddr("192.0.2.1"))
	good(t, "warn", slog.LevelWarn)
	moment := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	good(t, "2026-11-20T06:00:00Z", moment)
	good(t, "2026-11-20T06:00:00Z", &moment)
	refused[netip.Addr](t, "192.0.2", kvconf.ErrValue, "192.0.2")
	_, err := decodeOne("loud", slog.LevelInfo)
	if all := (kvconf.Errors)(nil); !errors.As(err, &all) || all[0].Err == nil || !strings.Contains(all[0].Err.Error(), "unknown name") {
		t.Errorf("the error of the type is lost: %v", err)
	}
}

func TestPointers(t *testing.T) {
	n, s, yes := 7, "x", true
	good(t, "7", &n)
	good(t, "x", &s)
	good(t, "true", &yes)
	refused[*int8](t, "300", kvconf.ErrRange, "not between")
	held := 1
	p := &held
	if got, err := decodeOne("2", p); err != nil || *got != 2 || held != 1 {
		t.Errorf("got %v, %v; the variable that the pointer led to is %d", *got, err, held)
	}
}

func TestLists(t *testing.T) {
	good(t, "stdout,file", []string{"stdout", "file"})
	good(t, " stdout , file ", []string{"stdout", "file"})
	good(t, "a", []string{"a"})
	good(t, "a,,b,", []string{"a", "b"})
	good(t, `"a,b"`, []string{"a", "b"})
	good(t, "1, 2,3", []int8{1, 2, 3})
	good(t, "1s,2m", []time.Duration{time.Second, 2 * time.Minute})
	good(t, "1.5,2", []float32{1.5, 2})
	good(t, "192.0.2.1,::1", []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::1")})
	one := 1
	good(t, "1,1", []*int{&one, &one})
	good(t, "1,2", [2]int{1, 2})
	refused[[2]int](t, "1,2,3", kvconf.ErrValue, "the list has 3 members, not 2")
	refused[[]int8](t, "1,300", kvconf.ErrRange, "line 1:7: v: 300 is not between")
	refused[[]bool](t, "true,maybe", kvconf.ErrValue, `"maybe" is not true or false`)
}

// A list of words may be a JSON array, but an IPv6 address in brackets is a word.
func TestListsAsJSON(t *testing.T) {
	good(t, `["a,b", " c ", ""]`, []string{"a,b", " c ", ""})
	good(t, "[]", []string{})
	good(t, "[1, 2]", []int{1, 2})
	good(t, `["1s"]`, []time.Duration{time.Second})
	good(t, "[::1]:80,[::2]:80", []string{"[::1]:80", "[::2]:80"})
	good(t, "[::1]:80", []netip.AddrPort{netip.MustParseAddrPort("[::1]:80")})
	good(t, `[null,"a"]`, []*string{nil, ptr("a")})
	good(t, "[null]:80", []string{"[null]:80"})
	good(t, "[[1,2],[3]]", [][]int{{1, 2}, {3}})
	good(t, "[1,2]", [2]int{1, 2})
	good(t, `[1,"a",true,null,{"b":[]}]`, []any{1.0, "a", true, nil, map[string]any{"b": []any{}}})
	refused[[2]int](t, "[1]", kvconf.ErrValue, "the list has 1 members, not 2")
	refused[[2]int](t, "[1,2,3]", kvconf.ErrValue, "more than 2 members")
	refused[[]string](t, `["a",1]`, kvconf.ErrValue, `a string is expected, not '1'`)
	refused[[]int](t, `["1"]`, kvconf.ErrValue, `a number is expected`)
	refused[[]int8](t, `[1,300]`, kvconf.ErrRange, "v[1]: 300 is not between -128 and 127")
	refused[[][]int](t, "1,2", kvconf.ErrValue, `"[" is expected`)
}

func ptr[T any](v T) *T { return &v }

// A key that is there with nothing behind the "=" empties texts and lists. Of other types it leaves what they held: whoever
// leaves a line blank in a form wants the default.
func TestEmptyValue(t *testing.T) {
	if got, err := decodeOne("", "held"); got != "" || err != nil {
		t.Errorf("string: %q, %v", got, err)
	}
	for _, value := range []string{"", `""`} {
		got, err := decodeOne(value, []string{"held"})
		if len(got) != 0 || got == nil || err != nil {
			t.Errorf("list from %q: %#v, %v", value, got, err)
		}
	}
	if got, err := decodeOne("", []disk{{Dev: "8:0"}}); len(got) != 0 || err != nil {
		t.Errorf("list of structs: %#v, %v", got, err)
	}
	if got, err := decodeOne("", map[string]string{"a": "b"}); len(got) != 0 || err != nil {
		t.Errorf("map: %#v, %v", got, err)
	}
	if got, err := decodeOne("", netip.MustParseAddr("::1")); got.IsValid() || err != nil {
		t.Errorf("address: %v, %v", got, err)
	}
	if got, err := decodeOne("", ptr("held")); *got != "" || err != nil {
		t.Errorf("pointer to string: %q, %v", *got, err)
	}
	if got, err := decodeOne("", []byte("held")); len(got) != 0 || err != nil {
		t.Errorf("bytes: %q, %v", got, err)
	}
	if got, err := decodeOne[any]("", "held"); got != "" || err != nil {
		t.Errorf("any: %v, %v", got, err)
	}
	keeps(t, "", 7)
	keeps(t, "", uint8(7))
	keeps(t, "", 1.5)
	keeps(t, "", true)
	keeps(t, "", time.Minute)
	keeps(t, "", ptr(true))
	keeps(t, "", [2]int{1, 2})
	keeps(t, "", slog.LevelWarn)
	keeps(t, "", ptr(slog.LevelWarn))
}

// Agents of the field write null for a list, a limit or anything else that is not set.
func TestNull(t *testing.T) {
	if got, err := decodeOne("null", []disk{{Dev: "8:0"}}); got != nil || err != nil {
		t.Errorf("list of structs: %#v, %v", got, err)
	}
	if got, err := decodeOne("null", []string{"held"}); got != nil || err != nil {
		t.Errorf("list: %#v, %v", got, err)
	}
	if got, err := decodeOne("null", ptr(1)); got != nil || err != nil {
		t.Errorf("pointer: %v, %v", got, err)
	}
	if got, err := decodeOne("null", map[string]int{"a": 1}); got != nil || err != nil {
		t.Errorf("map: %v, %v", got, err)
	}
	if got, err := decodeOne[any]("null", "held"); got != nil || err != nil {
		t.Errorf("any: %v, %v", got, err)
	}
	keeps(t, "null", 7)
	keeps(t, "null", true)
	keeps(t, "null", time.Minute)
	good(t, `"null"`, ptr("null"))
	good(t, `"null"`, []string{"null"})
	good[any](t, `"null"`, "null")
}

func TestSizes(t *testing.T) {
	var v struct {
		A int8     `kv:"a,bytes"`
		B uint64   `kv:"b,bytes"`
		C *int64   `kv:"c,bytes"`
		D []uint32 `kv:"d,bytes"`
	}
	text := "a = 100\nb = 9.5 MiB\nc = 10M\nd = 1K, 1KiB"
	if err := kvconf.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	if v.A != 100 || v.B != 9_961_472 || *v.C != 10_000_000 || !reflect.DeepEqual(v.D, []uint32{1000, 1024}) {
		t.Errorf("got %+v, %d", v, *v.C)
	}
	for value, want := range map[string]string{
		"a = 128": "128 is more than the 127 bytes that are possible here", "d = 1,5G": "5G is more than", "b = 16EiB": "more than 64 bits",
		"b = 10Q": `unknown unit "Q"`, "b = -1": "not negative",
	} {
		if err := kvconf.Unmarshal([]byte(value), &v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
}

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
