package kvconf_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"reflect"
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
