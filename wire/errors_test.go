package wire_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// What cannot be sent is an error that names the field, and leaves the buffer as it was.
func TestAppendErrors(t *testing.T) {
	all := wire.Define[everything](30000, "everything", "all")
	come := func(c wire.ComePayload) func([]byte) ([]byte, error) {
		return func(b []byte) ([]byte, error) { return wire.Come.Append(b, "", &c) }
	}
	send := func(change func(*everything)) func([]byte) ([]byte, error) {
		v := full()
		change(&v)
		return func(b []byte) ([]byte, error) { return all.Append(b, "", &v) }
	}
	deep := everything{}
	for range 100 {
		deep = everything{Self: []everything{deep}}
	}
	tests := map[string]struct {
		send  func([]byte) ([]byte, error)
		field string
		err   error
	}{
		"NaN":                        {send(func(e *everything) { e.Float64 = math.NaN() }), "all.f64", wire.ErrRange},
		"infinity":                   {send(func(e *everything) { e.Float32 = float32(math.Inf(-1)) }), "all.Float32", wire.ErrRange},
		"NaN with decimals":          {send(func(e *everything) { e.Two = wire.Float2(math.NaN()) }), "all.Two", wire.ErrRange},
		"NaN in a list":              {send(func(e *everything) { e.Grid[1] = []float64{0, math.NaN()} }), "all.grid[1][1]", wire.ErrRange},
		"NaN in an interface":        {send(func(e *everything) { e.Any = math.NaN() }), "all.any", wire.ErrValue},
		"names that become the same": {send(func(e *everything) { e.Map = map[string]int{"\xff": 1, "\xfe": 2} }), "all.map.\"\ufffd\"", wire.ErrDuplicate},
		"names that become the same in an interface": {send(func(e *everything) { e.Any = map[string]any{"\xff": 1, "\xfe": 2} }), "all.any.\"\ufffd\"", wire.ErrDuplicate},
		"a number in an interface that is too large": {send(func(e *everything) { e.Any = []any{json.Number("1e999")} }), "all.any[0]", wire.ErrRange},
		"a name that is too long in an error":        {send(func(e *everything) { e.Any = map[string]any{strings.Repeat("主", 40): json.Number("1e999")} }), `all.any."` + strings.Repeat("主", 21) + `…"`, wire.ErrRange},
		"a raw text that is cut off":                 {send(func(e *everything) { e.Raw = json.RawMessage(`{"a":"`) }), "all.raw.a", wire.ErrSyntax},
		"an error in an object of objects":           {send(func(e *everything) { e.Keys["k"].F = math.NaN() }), "all.keys.k.f", wire.ErrRange},
		"a channel":                                  {send(func(e *everything) { e.Any = make(chan int) }), "all.any", wire.ErrValue},
		"raw JSON that is none":                      {send(func(e *everything) { e.Raw = json.RawMessage(`{"a":1,"a":2}`) }), "all.raw.a", wire.ErrDuplicate},
		"raw JSON too deep":                          {send(func(e *everything) { e.Raw = json.RawMessage(strings.Repeat("[", 64) + strings.Repeat("]", 64)) }), "all.raw" + strings.Repeat("[0]", 62), wire.ErrDepth},
		"a number that is none":                      {send(func(e *everything) { e.Number = "1 " }), "all.number", wire.ErrValue},
		"a time in the year 10000":                   {send(func(e *everything) { e.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }), "all.time", wire.ErrValue},
		"a method that refuses":                      {send(func(e *everything) { minus := level(-1); e.Levels["l"] = &minus }), "all.levels.l", wire.ErrValue},
		"too deep":                                   {func(b []byte) ([]byte, error) { return all.Append(b, "", &deep) }, "all" + strings.Repeat(".self[0]", 31) + ".Array", wire.ErrDepth},
		"an id of 256 bytes":                         {come(wire.ComePayload{ID: strings.Repeat("i", 256)}), "come.id", wire.ErrLength},
		"an id that grows":                           {come(wire.ComePayload{ID: strings.Repeat("\xff", 86)}), "come.id", wire.ErrLength},
		"a task of 257 bytes":                        {func(b []byte) ([]byte, error) { return wire.Foo.Request.Append(b, strings.Repeat("t", 257), nil) }, "tid", wire.ErrLength},
		"nil":                                        {func(b []byte) ([]byte, error) { return wire.ExecKill.Append(b, "", nil) }, "exec_kill", wire.ErrNoPayload},
		"many empty objects in an interface":         {send(func(e *everything) { e.Any = make([]struct{}, 20_000) }), "", wire.ErrMemory},
		"many empty structs": {func(b []byte) ([]byte, error) {
			return wire.HostDynamic.Reply.Append(b, "", &wire.HostDynamicReply{Processes: make([]wire.HostProcess, 10_000)})
		}, "", wire.ErrMemory},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := test.send([]byte("before"))
			if test.err == nil {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			var e *wire.Error
			if !errors.As(err, &e) || !errors.Is(err, test.err) || e.Field != test.field || e.Offset != -1 || e.Type <= 0 {
				t.Errorf("error %v (%+v), want %v in %s", err, e, test.err, test.field)
			}
			if string(b) != "before" {
				t.Errorf("buffer %.50q", b)
			}
		})
	}
}

// An author's own types are told apart as strictly as ours.
func TestDecodeErrors(t *testing.T) {
	m := wire.Define[everything](30000, "everything", "all")
	tests := []struct {
		payload, field string
		err            error
	}{
		{`{"map":{"a":1,"b":"x"}}`, "all.map.b", wire.ErrKind},
		{`{"map":[]}`, "all.map", wire.ErrKind},
		{`{"map":{"\u001b[31m":{}}}`, `all.map."\x1b[31m"`, wire.ErrKind},
		{`{"keys":{"k":{"a":true}}}`, "all.keys.k.a", wire.ErrKind},
		{`{"ptr":[]}`, "all.ptr", wire.ErrKind},
		{`{"any":{"a":[1,{"b":1e999}]}}`, "all.any.a[1].b", wire.ErrRange},
		{`{"level":"level-x"}`, "all.level", wire.ErrValue},
		{`{"level":3}`, "all.level", wire.ErrKind},
		{`{"text":"fe80::%"}`, "all.text", wire.ErrValue},
		{`{"number":"1"}`, "all.number", wire.ErrKind},
		{`{"hex":12}`, "all.hex", wire.ErrValue},
		{`{"self":[{},{"self":[{"i8":128}]}]}`, "all.self[1].self[0].i8", wire.ErrRange},
		{`{"grid":[[1],[2,"x"]]}`, "all.grid[1][1]", wire.ErrKind},
		{`{"grid":[[1],[2],[3]]}`, "all.grid", wire.ErrKind},
		{`{"promoted":1}`, "all.promoted", wire.ErrKind},
		{`{"deep":-0.5}`, "all.deep", wire.ErrKind},
		{`{"Float32":"1"}`, "all.Float32", wire.ErrKind},
		{`{"s":"x","Bool":0}`, "all.Bool", wire.ErrKind},
		{`{"took":"1h"}`, "all.took", wire.ErrKind},
	}
	for _, test := range tests {
		f, err := wire.Parse([]byte(`{"type":30000,"all":` + test.payload + `}`))
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Decode(f)
		var e *wire.Error
		if !errors.As(err, &e) || !errors.Is(err, test.err) || e.Field != test.field || e.Name != "everything" {
			t.Errorf("%s: error %v, want %v in %s", test.payload, err, test.err, test.field)
		}
		if want := new(strconv.NumError); test.field == "all.level" && test.err == wire.ErrValue && !errors.As(err, &want) {
			t.Errorf("%s: the cause of %v is lost", test.payload, err)
		}
		if !reflect.DeepEqual(v, everything{}) {
			t.Errorf("%s: half a value was returned: %+v", test.payload, v)
		}
	}
}

// A hexadecimal has JSON of its own.
type hexadecimal string

func (h hexadecimal) MarshalJSON() ([]byte, error) { return json.Marshal("0x" + string(h)) }

func (h *hexadecimal) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	*h = hexadecimal(strings.TrimPrefix(s, "0x"))
	return nil
}

// What is at the edge can be sent, and is received.
func TestEdges(t *testing.T) {
	for _, task := range []string{"", "t", strings.Repeat("t", wire.MaxTask), strings.Repeat("\n", wire.MaxTask), strings.Repeat("主", 85)} {
		b, err := wire.Foo.Reply.Append(nil, task, nil)
		if err != nil {
			t.Fatal(err)
		}
		f, err := wire.Parse(b)
		if err != nil || f.Task != task || f.Type != 9 {
			t.Errorf("got %+v, %v", f, err)
		}
	}
	id := strings.Repeat("\x00", 255) // six bytes each
	b, err := wire.Come.Append(nil, "", &wire.ComePayload{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	f, err := wire.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := wire.Come.Decode(f); err != nil || c.ID != id {
		t.Errorf("got %v, %v", c, err)
	}
}

// What T cannot be is found when the program starts, and the panic says why.
func TestDefinePanics(t *testing.T) {
	type (
		quoted struct {
			N int `json:"n,string"`
		}
		limited struct {
			N int `wire:"max=3"`
		}
		limits struct {
			S string `wire:"max=x"`
		}
		numbers   struct{ M map[int]string }
		function  struct{ F func() }
		twoStars  struct{ P **int }
		interfac  struct{ I interface{ M() } }
		hidden    struct{ P int }
		embeds    struct{ *hidden }
		marshaler struct{ M onlyMarshals }
	)
	for name, test := range map[string]struct {
		define func()
		want   string
	}{
		"number 0":            {func() { wire.Define[struct{ A int }](0, "x", "x") }, "number 0"},
		"number below 0":      {func() { wire.Define[struct{ A int }](-1, "x", "x") }, "number -1"},
		"field type":          {func() { wire.Define[struct{ A int }](30000, "x", "type") }, "envelope"},
		"no field":            {func() { wire.Define[struct{ A int }](30000, "x", "") }, "no field"},
		"option string":       {func() { wire.Define[quoted](30000, "x", "x") }, "N: the option string"},
		"limit of a number":   {func() { wire.Define[limited](30000, "x", "x") }, "N: the tag"},
		"limit of no number":  {func() { wire.Define[limits](30000, "x", "x") }, "S: the tag"},
		"numbers as names":    {func() { wire.Define[numbers](30000, "x", "x") }, "keys of a map"},
		"function":            {func() { wire.Define[function](30000, "x", "x") }, "F: func() has no JSON"},
		"pointer to pointer":  {func() { wire.Define[twoStars](30000, "x", "x") }, "pointer to a pointer"},
		"interface":           {func() { wire.Define[interfac](30000, "x", "x") }, "interface with methods"},
		"embedded and hidden": {func() { wire.Define[embeds](30000, "x", "x") }, "not exported"},
		"encodes only":        {func() { wire.Define[marshaler](30000, "x", "x") }, "not decoded"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, test.want) || !strings.HasPrefix(text, `wire: Define "x": `) {
					t.Errorf("panic %q, want %q in it", text, test.want)
				}
			}()
			test.define()
		})
	}
}

type onlyMarshals struct{}

func (onlyMarshals) MarshalText() ([]byte, error) { return nil, nil }

// A message that is declared twice with one type, or that another program declares, is the same on the wire.
func TestMismatch(t *testing.T) {
	f, err := wire.Parse([]byte(`{"type":12,"exec_data":{"data":""}}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = wire.ExecDone.Decode(f)
	if !errors.Is(err, wire.ErrMismatch) {
		t.Errorf("error %v: a frame of another type was taken", err)
	}
}
