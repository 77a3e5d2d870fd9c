package kvconf_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// everything has a field of each kind.
type everything struct {
	S   string           `kv:"s"`
	B   bool             `kv:"b"`
	I   int              `kv:"i"`
	I8  int8             `kv:"i8"`
	I64 int64            `kv:"i64"`
	U   uint             `kv:"u"`
	U64 uint64           `kv:"u64"`
	F32 float32          `kv:"f32"`
	F64 float64          `kv:"f64"`
	D   time.Duration    `kv:"d"`
	Z   uint64           `kv:"z,bytes"`
	Z32 int32            `kv:"z32,bytes"`
	Raw []byte           `kv:"raw"`
	Adr netip.Addr       `kv:"adr"`
	Big *big.Int         `kv:"big"`
	PS  *string          `kv:"ps"`
	PI  *int             `kv:"pi"`
	PL  *[]string        `kv:"pl"`
	L   []string         `kv:"l"`
	LI  []int            `kv:"li"`
	LF  []float64        `kv:"lf"`
	LP  []*string        `kv:"lp"`
	LA  []netip.AddrPort `kv:"la"`
	LZ  []uint64         `kv:"lz,bytes"`
	LL  [][]string       `kv:"ll"`
	Arr [2]string        `kv:"arr"`
	Str []disk           `kv:"str"`
	PSt []*disk          `kv:"pst"`
	Sec struct {
		X string `kv:"x"`
		Y struct {
			Z int `kv:"z"`
		} `kv:"y"`
	} `kv:"sec"`
	Opt *Inner            `kv:"opt"`
	M   map[string]string `kv:"m"`
	MI  map[int]int       `kv:"mi"`
	MS  map[string]disk   `kv:"ms"`
	A   any               `kv:"a"`
	J   json.RawMessage   `kv:"j"`
	Lvl slog.Level        `kv:"lvl"`
	Obj []member          `kv:"obj"`
	By  map[int8]*member  `kv:"by"`
}

// member has a field of each kind that a JSON object may have.
type member struct {
	S    string                 `json:"s"`
	B    bool                   `json:"b"`
	I    int16                  `json:"i"`
	U    uint16                 `json:"u"`
	F    float32                `json:"f"`
	D    time.Duration          `json:"d"`
	Z    int32                  `kv:"z,bytes"`
	Raw  []byte                 `json:"raw"`
	Adr  netip.Addr             `json:"adr"`
	P    *time.Duration         `json:"p"`
	L    []time.Duration        `json:"l"`
	M    map[netip.Addr]float64 `json:"m"`
	A    any                    `json:"a"`
	J    json.RawMessage        `json:"j"`
	Arr  [2]bool                `json:"arr"`
	Self []member               `json:"self"`
	*Embedded
	Skip string `json:"-"`
	None string
}

type Embedded struct {
	E string `json:"e"`
}

func full() everything {
	var v everything
	v.S, v.B, v.I, v.I8, v.I64, v.U, v.U64 = "text", true, -1, -128, math.MinInt64, 1, math.MaxUint64
	v.F32, v.F64, v.D, v.Z, v.Z32 = 0.1, -1e300, 90*time.Minute, 10_000_000, 1024
	v.Raw, v.Adr, v.Big = []byte{0, 255, '#'}, netip.MustParseAddr("::1"), big.NewInt(12)
	v.PS, v.PI, v.PL = ptr("null"), ptr(0), &[]string{"x"}
	v.L, v.LI, v.LF, v.LP = []string{"a", "b c"}, []int{1, -2}, []float64{1.5, 1e-9}, []*string{nil, ptr("null")}
	v.LA, v.LZ = []netip.AddrPort{netip.MustParseAddrPort("[::1]:80")}, []uint64{1024, 7}
	v.LL, v.Arr = [][]string{{"a,b"}, {}, nil}, [2]string{"", " x "}
	v.Str, v.PSt = []disk{{Dev: "8:0 #1", ReadBytes: 1 << 20}, {}}, []*disk{nil, {Dev: "x"}}
	v.Sec.X, v.Sec.Y.Z, v.Opt = " edge", 3, &Inner{"null"}
	v.M, v.MI = map[string]string{"b": "2", "a.c": "", "x y": "#"}, map[int]int{1: 2, -1: 0}
	v.Obj = []member{{
		S: "\\\"\n\x01\u00e9", B: true, I: -5, U: 5, F: 0.5, D: time.Minute, Z: 1024, Raw: []byte("raw"), Adr: v.Adr, P: ptr(time.Second),
		L: []time.Duration{1, 0}, M: map[netip.Addr]float64{v.Adr: 1, netip.MustParseAddr("192.0.2.1"): 2}, A: map[string]any{"a": []any{1.5, nil}},
		J: json.RawMessage(`{"x":[1,2]}`), Arr: [2]bool{true, false}, Self: []member{{J: json.RawMessage("null")}}, Embedded: &Embedded{"e"},
	}}
	v.By = map[int8]*member{-1: nil, 5: {J: json.RawMessage("0")}}
	v.MS, v.A, v.J, v.Lvl = map[string]disk{"sda": {ReadIOPS: 1}}, "null", json.RawMessage(`{"k":"#"}`), slog.LevelError
	return v
}

// roundTrip writes v, reads it into a new variable, and compares.
func roundTrip[T any](t *testing.T, v T) {
	t.Helper()
	text, err := kvconf.Marshal(v)
	if err != nil {
		t.Errorf("%+v: %v", v, err)
		return
	}
	var back T
	if err := kvconf.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, v) {
		t.Errorf("%+v was written as\n%s\nand read as %+v, %v", v, text, back, err)
	}
	again, err := kvconf.Marshal(back)
	if err != nil || !bytes.Equal(again, text) {
		t.Errorf("written again it is\n%s\nnot\n%s, %v", again, text, err)
	}
}

func TestRoundTripOfEveryKind(t *testing.T) {
	roundTrip(t, full())
	zero := everything{J: json.RawMessage("null")}
	roundTrip(t, zero)
}

type one[T any] struct {
	V T `kv:"v"`
}

func TestRoundTripOfStrings(t *testing.T) {
	for _, s := range []string{
		"", " ", "a", " a", "a ", "\ta", "a#b", "a #b", "#a", "a #", "\"a\"", "'a'", "'", `"`, "a\"b", `\`, `a\n`, "a\nb = 1", "\r", "\r\n", "\x00", "\xff",
		"\ufeffa", "\u3000", "a\u3000#b", "\u2028", "\u0085", "null", "名字", "😀", "=", "a=b", "$HOME", "[1]", `["a"]`, "{}", "a,b", "\x7f", "\u202e", "\U000e0001",
		strings.Repeat("x", 100_000),
	} {
		roundTrip(t, one[string]{s})
		roundTrip(t, one[*string]{&s})
		roundTrip(t, one[[]byte]{[]byte(s)})
		roundTrip(t, one[any]{s})
		roundTrip(t, map[string]string{"k": s})
		roundTrip(t, map[string]any{"k": s})
		roundTrip(t, one[map[string]string]{map[string]string{"k": s}})
		if s == strings.ToValidUTF8(s, "") {
			roundTrip(t, one[[]string]{[]string{s}})
			roundTrip(t, one[[]string]{[]string{s, "b", s}})
			roundTrip(t, one[[2]string]{[2]string{"a", s}})
			roundTrip(t, one[[]disk]{[]disk{{Dev: s}}})
			roundTrip(t, one[map[string]string]{map[string]string{s: s}})
			roundTrip(t, one[[]any]{[]any{s, nil, 1.5, true, map[string]any{s: []any{s}}}})
		}
	}
	roundTrip(t, one[[]string]{})
	roundTrip(t, one[[]string]{[]string{}})
	roundTrip(t, one[[]disk]{[]disk{}})
	roundTrip(t, one[map[string]string]{map[string]string{}})
	roundTrip(t, one[[]byte]{})
	roundTrip(t, one[[]*int]{[]*int{nil}})
}

func TestRoundTripOfNumbers(t *testing.T) {
	for _, f := range []float64{0, 1, -1.5, 1e6, 1e20, 1e21, 1e-6, 1e-7, math.MaxFloat64, math.SmallestNonzeroFloat64, 1.0 / 3} {
		roundTrip(t, one[float64]{f})
		roundTrip(t, one[[]float64]{[]float64{f}})
		roundTrip(t, one[[][]float64]{[][]float64{{f}}})
	}
	for _, d := range []time.Duration{0, 1, time.Microsecond, time.Second, time.Minute, time.Hour, 100 * time.Hour, -90 * time.Second, math.MaxInt64, math.MinInt64} {
		roundTrip(t, one[time.Duration]{d})
	}
}

func TestWhatIsWritten(t *testing.T) {
	for want, v := range map[string]any{
		"v = 1m\n":              one[time.Duration]{time.Minute},
		"v = 1h\n":              one[time.Duration]{time.Hour},
		"v = 1h0m5s\n":          one[time.Duration]{time.Hour + 5*time.Second},
		"v = 10s\n":             one[time.Duration]{10 * time.Second},
		"v = 1000000\n":         one[float64]{1e6},
		"v = stdout,file\n":     one[[]string]{[]string{"stdout", "file"}},
		"v =\n":                 one[string]{},
		"v = null\n":            one[*string]{},
		"v = \"a\\nb = 1\"\n":   one[string]{"a\nb = 1"},
		"v = \"a #b\"\n":        one[string]{"a #b"},
		"v = a#b\n":             one[string]{"a#b"},
		"v = [\"a,b\",\"c\"]\n": one[[]string]{[]string{"a,b", "c"}},
		"v = [{\"a\":\"8:0 \\u00231\"}]\n": one[any]{[]struct {
			A string `kv:"a"`
		}{{"8:0 #1"}}},
		"a.x = 1\nb = 2\n": map[string]any{"b": 2, "a": map[string]int{"x": 1}},
		"1 = a\n2 = b\n":   map[int]string{2: "b", 1: "a"},
		"":                 struct{}{},
		"a.b = c\n":        map[string]map[string]string{"a": {"b": "c"}},
	} {
		for _, v := range []any{v, &v} {
			text, err := kvconf.Marshal(v)
			if _, isPointer := v.(*any); isPointer {
				continue
			}
			if err != nil || string(text) != want {
				t.Errorf("%+v: %q, %v, want %q", v, text, err, want)
			}
		}
	}
}

func TestDescriptionsBecomeComments(t *testing.T) {
	type conf struct {
		ID  string `kv:"id" desc:"Who this agent is."`
		Log struct {
			Dir    string `kv:"dir"`
			Size   uint64 `kv:"size,bytes" desc:"Size of a file.\n\n  In bytes."`
			Target string `kv:"target,omitempty" desc:"not there"`
		} `kv:"log" desc:"Where the log goes."`
		Opt *struct {
			X int `kv:"x" desc:"x"`
		} `kv:"opt" desc:"Not set."`
		Empty struct {
			Y string `kv:"y,omitempty" desc:"y"`
		} `kv:"empty" desc:"Its first setting is left out."`
		Part struct {
			A string `kv:"a,omitempty"`
			B string `kv:"b"`
		} `kv:"part" desc:"Only its second setting is there."`
		Last int `kv:"last"`
	}
	var c conf
	c.ID, c.Log.Size = "a", 10_000_000
	text, err := kvconf.Marshal(&c)
	want := `# Who this agent is.
id = a

# Where the log goes.
log.dir =

# Size of a file.
# In bytes.
log.size = 10M

# Only its second setting is there.
part.b =
last = 0
`
	if err != nil || string(text) != want {
		t.Errorf("got:\n%s\n%v", text, err)
	}
}

func TestOmitempty(t *testing.T) {
	type conf struct {
		S string            `kv:"s,omitempty"`
		N int               `kv:"n,omitempty"`
		L []string          `kv:"l,omitempty"`
		M map[string]string `kv:"m,omitempty"`
		P *int              `kv:"p,omitempty"`
		D []struct {
			A int `kv:"a,omitempty"`
			B int `json:"b,omitempty"`
			C int `json:"c"`
		} `kv:"d,omitempty"`
	}
	text, err := kvconf.Marshal(conf{L: []string{}, M: map[string]string{}})
	if err != nil || len(text) != 0 {
		t.Errorf("%q, %v", text, err)
	}
	var c conf
	c.D = append(c.D, struct {
		A int `kv:"a,omitempty"`
		B int `json:"b,omitempty"`
		C int `json:"c"`
	}{})
	text, err = kvconf.Marshal(c)
	if err != nil || string(text) != "d = [{\"c\":0}]\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// What cannot be written comes back as errors with the keys, and nothing is written.
func TestUnwritable(t *testing.T) {
	cyclic := map[string]any{}
	cyclic["a"] = []any{cyclic}
	type node struct {
		Next *node `kv:"next"`
	}
	ring := &node{}
	ring.Next = ring
	loop := map[string]any{}
	loop["a"] = loop
	var self any
	self = &self
	for want, v := range map[string]any{
		"v: NaN is not a number":  one[float64]{math.NaN()},
		"v: +Inf is not a number": one[[]float64]{[]float64{1, math.Inf(1)}},
		"v: the size -1 is negative": struct {
			V int `kv:"v,bytes"`
		}{-1},
		"the key has a control character":              map[string]string{"a\nb = 1": "x"},
		`the key has a "="`:                            map[string]string{"a=b": "x"},
		"the key is empty":                             map[string]string{"": "x"},
		"the key has a blank at its edge":              map[string]string{" a": "x"},
		"the key starts with #":                        map[string]string{"#a": "x"},
		`the key has a "#" behind a blank`:             map[string]string{"a #b": "x"},
		`the key starts with "`:                        map[string]string{`"a"`: "x"},
		"byte order mark":                              map[string]string{"\ufeffa": "x"},
		"a dot in the name would be read as a section": map[string]disk{"a.b": {}},
		"is not UTF-8":                                 one[[]string]{[]string{"\xff", ""}},
		"nested more than 200 deep":                    map[string]any{"x": cyclic["a"]},
		"v: the value is nested more than 200 deep":    one[[]*node]{[]*node{ring}},
		"the map is nested more than 200 deep":         loop,
		"*interface {} may lead back to itself":        map[string]any{"a": self},
		"a.b: another value has the same key":          map[string]any{"a.b": 1, "a": map[string]int{"b": 2}},
		"a.b: a dot in the name":                       map[string]map[string]string{"a.b": {"c": "d"}},
		`two keys of the map are "same"`:               map[sameText]int{1: 1, 2: 2},
		"v: two keys of the map":                       one[map[sameText]int]{map[sameText]int{1: 1, 2: 2}},
		"chan int has no form":                         one[any]{make(chan int)},
		"v: a pointer to nil":                          one[*[]string]{new([]string)},
		"has no MarshalText":                           one[readOnly]{},
		"no luck":                                      one[failing]{},
	} {
		var b bytes.Buffer
		err := kvconf.NewEncoder(&b).Encode(v)
		if !errors.Is(err, kvconf.ErrUnwritable) || !strings.Contains(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%T: %v, want ErrUnwritable with %q; written: %q", v, err, want, b.String())
		}
	}
	err := kvconf.NewEncoder(&bytes.Buffer{}).Encode(map[string]any{"b": math.NaN(), "a\n": 1, "c": 1})
	if all := (kvconf.Errors)(nil); !errors.As(err, &all) || len(all) != 2 {
		t.Errorf("not all at once: %v", err)
	}
	for _, v := range []any{nil, 1, "x", (*everything)(nil), []int{1}, struct {
		C chan int `kv:"c"`
	}{}, map[string]chan int{}} {
		if _, err := kvconf.Marshal(v); !errors.Is(err, kvconf.ErrType) {
			t.Errorf("%T: %v", v, err)
		}
	}
}

type readOnly struct{}

func (*readOnly) UnmarshalText([]byte) error { return nil }

type failing struct{}

type sameText int

func (*sameText) UnmarshalText([]byte) error  { return nil }
func (sameText) MarshalText() ([]byte, error) { return []byte("same"), nil }

func (*failing) UnmarshalText([]byte) error  { return nil }
func (failing) MarshalText() ([]byte, error) { return nil, errNoLuck }

var errNoLuck = errors.New("no luck")

func TestErrorsOfMarshalText(t *testing.T) {
	if _, err := kvconf.Marshal(one[failing]{}); !errors.Is(err, errNoLuck) {
		t.Errorf("the cause is lost: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errNoLuck }

func TestWriterThatFails(t *testing.T) {
	if err := kvconf.NewEncoder(brokenWriter{}).Encode(one[int]{1}); !errors.Is(err, errNoLuck) {
		t.Errorf("got %v", err)
	}
}
