package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/wire"
)

// What an author's own type may be made of.
type (
	everything struct {
		Bool    bool
		Int8    int8    `json:"i8"`
		Int64   int64   `json:"i64,omitempty"`
		Uint16  uint16  `json:"u16"`
		Uintptr uintptr `json:",omitempty"`
		Float32 float32
		Float64 float64 `json:"f64"`
		Two     wire.Float2
		String  string `json:"s"`
		Named   named  `json:"named,omitempty"`
		Bytes   []byte
		Array   [3]int
		Slice   []string          `json:"slice,omitempty"`
		Map     map[string]int    `json:"map,omitempty"`
		Keys    map[named]*inner  `json:"keys,omitempty"`
		Pointer *inner            `json:"ptr,omitempty"`
		Any     any               `json:"any,omitempty"`
		Time    time.Time         `json:"time,omitzero"`
		Took    time.Duration     `json:"took"`
		Text    netip.Addr        `json:"text,omitzero"`
		Hex     hexadecimal       `json:"hex,omitempty"`
		Raw     json.RawMessage   `json:"raw,omitempty"`
		Number  json.Number       `json:"number,omitempty"`
		Level   level             `json:"level"`
		Levels  map[string]*level `json:"levels,omitempty"`
		Skipped string            `json:"-"`
		Odd     string            `json:"a <b> é,omitempty"`
		Self    []everything      `json:"self,omitempty"`
		private string            // is not written
		Grid    [2][]float64      `json:"grid"`
		List    []map[string]any  `json:"list,omitempty"`
		Embedded
		*Deeper
	}
	named string
	inner struct {
		A int     `json:"a,omitempty"`
		B string  `json:"b,omitempty"`
		F float64 `json:"f,omitempty"`
	}
	Embedded struct {
		Promoted string `json:"promoted,omitempty"`
		Bool     int    // hidden by everything.Bool
	}
	Deeper struct {
		Deep int `json:"deep,omitempty"`
	}
)

// A level has text of its own, on its pointer.
type level int

func (l *level) MarshalText() ([]byte, error) {
	if *l < 0 {
		return nil, errors.New("below 0")
	}
	return []byte("level-" + strconv.Itoa(int(*l))), nil
}

func (l *level) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(strings.TrimPrefix(string(text), "level-"))
	*l = level(n)
	return err
}

func full() everything {
	four := level(4)
	return everything{
		private: "x", Bool: true, Int8: -128, Int64: math.MinInt64, Uint16: 65535, Uintptr: 7, Float32: 0.25214595, Float64: 1e-7, Two: 2596.1,
		String: "a \"b\" \\ / \b\f\n\r\t \x00\x1f\x7f & < > é 主机 😀 \u2028", Named: "n", Bytes: []byte{0, 1, 254, 255},
		Array: [3]int{1, 2, 3}, Slice: []string{"", "x", "y", "z", "5", "6", "7", "8", "9", "10"}, Map: map[string]int{"b": 2, "a": 1, "": 0},
		Keys: map[named]*inner{"k": {A: 1}, "nil": nil}, Pointer: &inner{B: "b"},
		Any:  map[string]any{"list": []any{1.5, "x", nil, true, false, map[string]any{}}},
		Time: time.Date(2026, 11, 20, 5, 55, 28, 19427235, time.UTC), Took: 3585 * time.Second, Text: netip.MustParseAddr("fe80::1%e\"th0"),
		Raw: json.RawMessage(`{"x":[1,2]}`), Hex: "7f", Number: "12.50", Level: 3, Levels: map[string]*level{"l": &four}, Odd: "odd",
		Self: []everything{{String: "inside"}}, Grid: [2][]float64{{1, 2.5}, {}}, List: []map[string]any{{"a": "b"}, nil},
		Embedded: Embedded{Promoted: "p"}, Deeper: &Deeper{Deep: 5},
	}
}

// A struct of an author is the JSON that encoding/json makes of it, and comes back as it was.
func TestLikeEncodingJSON(t *testing.T) {
	m := wire.Define[everything](30000, "everything", "everything")
	for name, v := range map[string]everything{"full": full(), "zero": {}} {
		frame, err := m.Append(nil, "", &v)
		if err != nil {
			t.Fatal(name, err)
		}
		want, err := json.Marshal(map[string]any{"type": 30000, "everything": &v})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := value(t, frame), value(t, want); !reflect.DeepEqual(inFloats(got), inFloats(want)) {
			t.Errorf("%s:\n got %v\nwant %v", name, got, want)
		}
		f, err := wire.Parse(frame)
		if err != nil {
			t.Fatal(name, err)
		}
		back, err := m.Decode(f)
		if err != nil {
			t.Fatal(name, err)
		}
		var same struct{ Everything everything }
		if err := json.Unmarshal(frame, &same); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, same.Everything) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, back, same.Everything)
		}
	}
}

// inFloats replaces numbers as they are written by what they are worth.
func inFloats(v any) any {
	switch v := v.(type) {
	case json.Number:
		x, _ := v.Float64()
		return x
	case map[string]any:
		for k := range v {
			v[k] = inFloats(v[k])
		}
	case []any:
		for i := range v {
			v[i] = inFloats(v[i])
		}
	}
	return v
}

// Null is as if the field were not there, whatever the field is.
func TestNull(t *testing.T) {
	m := wire.Define[everything](30000, "everything", "everything")
	frame, err := m.Append(nil, "", &everything{})
	if err != nil {
		t.Fatal(err)
	}
	v := value(t, frame)
	members := v["everything"].(map[string]any)
	for _, name := range []string{"slice", "map", "keys", "ptr", "any", "time", "text", "number", "self", "promoted", "deep", "i64"} {
		members[name] = nil
	}
	for name := range members {
		members[name] = nil
	}
	delete(members, "raw") // keeps it, as with encoding/json
	frame, err = json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	f, err := wire.Parse(frame)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if got.Deeper != nil && *got.Deeper == (Deeper{}) {
		got.Deeper = nil // made for its field
	}
	if !reflect.DeepEqual(got, everything{}) {
		t.Errorf("got %+v", got)
	}
}

// Names are told apart by case, and those that nobody knows do no harm.
func TestNames(t *testing.T) {
	f, err := wire.Parse([]byte(`{"x":[{"y":"\"]}"},1.5e-3],"TYPE":"z","type":14,"exec_kill":{"Pid":1,"unknown":{"pid":2},"PID":3,"p\u0069d":4},"plugin":null}`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := wire.ExecKill.Decode(f)
	if err != nil || v.PID != 4 {
		t.Errorf("got %+v, %v, want 4", v, err)
	}
}

// Numbers with two decimals are rounded as the field does it.
func TestFloat2(t *testing.T) {
	type payload struct{ X wire.Float2 }
	m := wire.Define[payload](30000, "float2", "p")
	for x, want := range map[float64]string{0: "0.00", 45: "45.00", 2596.1: "2596.10", 0.005: "0.01", -0.001: "0.00", -1.256: "-1.26",
		99.999: "100.00", 78447721.11: "78447721.11", 1e15: "1000000000000000", -1e300: "-1e+300"} {
		b, err := m.Append(nil, "", &payload{wire.Float2(x)})
		if err != nil || string(b) != `{"type":30000,"p":{"X":`+want+`}}` {
			t.Errorf("%v: %s, %v, want %s", x, b, err, want)
		}
	}
}

// Every float comes back as it was, in as few digits as encoding/json needs.
func TestFloats(t *testing.T) {
	type payload struct {
		X float64
		Y float32
	}
	m := wire.Define[payload](30000, "floats", "p")
	for _, x := range []float64{0, 1, -1, 0.1, 0.3, 1.0 / 3, 0.000040892, 0.001792662, 1e-6, 9.99999e-7, 123456.789012345, 999999.999999999, 1e6, 1234567.123456789, 123456789.12345679, 1e15, 123456789012345678,
		1e20, 1e21, 1e22, 1e-300, 5e-324, math.MaxFloat64, math.SmallestNonzeroFloat32, math.MaxFloat32, 0.1 + 0.2, 2.5e-9, 2e-9, 4.35, math.Copysign(0, -1)} {
		want := payload{x, float32(x)}
		if x > math.MaxFloat32 {
			want.Y = 0
		}
		b, err := m.Append(nil, "", &want)
		if err != nil {
			t.Fatal(x, err)
		}
		f, err := wire.Parse(b)
		if err != nil {
			t.Fatal(x, err)
		}
		got, err := m.Decode(f)
		if err != nil || math.Float64bits(got.X) != math.Float64bits(want.X) || math.Float32bits(got.Y) != math.Float32bits(want.Y) {
			t.Errorf("%s: got %v, %v, want %v", b, got, err, want)
		}
		if most, err := json.Marshal(want); err != nil || len(b)-len(`{"type":30000,"p":}`) > len(most)+2 { // e-07 for e-7
			t.Errorf("%s is longer than %s", b, most)
		}
	}
}

// A float stands in the frame with the fewest digits that are read as the same.
func TestShortest(t *testing.T) {
	type payload struct{ X float64 }
	m := wire.Define[payload](30000, "shortest", "p")
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		x := float64(random.Int64N(1e15)) / 1e9
		switch random.IntN(3) {
		case 0:
			x *= 1000
		case 1:
			x = math.Nextafter(x, 0)
		}
		if x < 1e-6 {
			continue
		}
		want := `{"type":30000,"p":{"X":` + strconv.FormatFloat(x, 'f', -1, 64) + `}}`
		if b, err := m.Append(nil, "", &payload{x}); err != nil || string(b) != want {
			t.Fatalf("%s, %v, want %s", b, err, want)
		}
	}
}

// A number is rounded once: 32 bits are not made of 64.
func TestFloat32(t *testing.T) {
	for text, want := range map[string]float32{"8.95432424545288": 8.954324, "4.36642050743103": 4.3664203, "2.33319628238678": 2.3331964} {
		f, err := wire.Parse([]byte(`{"type":7,"ai":{"cu":` + text + `}}`))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := wire.AgentInfo.Decode(f); err != nil || v.CPUUsage != want {
			t.Errorf("%s: got %v, %v, want %v", text, v.CPUUsage, err, want)
		}
	}
}

// A string comes back as it was wherever in it something special stands, and however long it is.
func TestStrings(t *testing.T) {
	lengths := []int{0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 1023, 1024, 1088, 1100, 2200, 3000}
	for _, special := range []string{"", `"`, `\`, `\"`, `\\`, "\x00", "\x1f", "\n", "é", "主机", "😀", "\x7f"} {
		for _, length := range lengths {
			for _, at := range lengths {
				if at > length {
					break
				}
				s := strings.Repeat("x", at) + special + strings.Repeat("y", length-at)
				b, err := wire.DownloadError.Append(nil, "", &wire.DownloadErrorPayload{Msg: s})
				if err != nil {
					t.Fatal(err)
				}
				if want := `{"type":27,"download_error":{"msg":` + quoted(t, s) + `}}`; string(b) != want {
					t.Fatalf("%s, want %s", b, want)
				}
				f, err := wire.Parse(b)
				if err != nil {
					t.Fatalf("%s: %v", b, err)
				}
				if v, err := wire.DownloadError.Decode(f); err != nil || v.Msg != s {
					t.Fatalf("%q, %v, want %q", v.Msg, err, s)
				}
				if raw, ok := f.Raw("download_error"); !ok || string(raw) != `{"msg":`+quoted(t, s)+"}" {
					t.Fatalf("Raw is %s", raw)
				}
			}
		}
	}
}

// A control character, or a byte that is not UTF-8, is found wherever it stands.
func TestStringErrors(t *testing.T) {
	for _, bad := range []string{"\x00", "\x1f", "\n", "\xff", "\x80", "\\x", "\\v", "\\u12g4", "\\u 123"} {
		for at := range 2200 {
			_, err := wire.Parse([]byte(`{"type":8,"x":"` + strings.Repeat("x", at) + bad + strings.Repeat("y", 40) + `"}`))
			if err == nil || errors.Is(err, wire.ErrUTF8) == utf8.ValidString(bad) {
				t.Fatalf("%q at %d: error %v", bad, at, err)
			}
		}
	}
}

func quoted(t *testing.T, s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
