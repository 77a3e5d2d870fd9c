package wire_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/wire"
)

// addRecorded adds one recorded frame of each type.
func addRecorded(f *testing.F) {
	seen := make(map[wire.Type]bool)
	recorded(f, func(where string, frame []byte) {
		m, err := wire.Parse(frame)
		if err != nil {
			f.Fatal(where, err)
		}
		if !seen[m.Type] && len(frame) < 4096 {
			seen[m.Type] = true
			f.Add(frame)
		}
	})
	if len(seen) < 25 {
		f.Fatalf("frames of %d types", len(seen))
	}
}

// FuzzParse compares Parse with encoding/json and the rules that a frame has beyond it, and sends again what was
// received.
func FuzzParse(f *testing.F) {
	addRecorded(f)
	for _, s := range []string{``, `{}`, `{"type":1e1}`, `{"type":8,"\u0074ype":9}`, `{"type":8,"tid":null,"errmsg":"\ud800\udc00"}`, "{\"type\":8,\"x\":\"\xff\"}",
		`{"type":30000,"all":{"any":[1e999]}}`, ` { "type" : 7 , "ai" : { "gc" : null } } `, `{"type":8,"x":` + strings.Repeat("[", 70), `{"type":8,` + manyNames(30) + `}`} {
		f.Add([]byte(s))
	}
	all := declared()
	everythings := wire.Define[everything](30000, "everything", "all")
	add(all, everythings)
	v := full()
	frame, err := everythings.Append(nil, "task", &v)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(frame)
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		m, err := wire.Parse(data)
		if !bytes.Equal(data, before) {
			t.Fatal("Parse changed the data")
		}
		if want := reference(data); (err == nil) != (want == nil) {
			t.Fatalf("Parse: %v, want %v", err, want)
		}
		if err != nil {
			var e *wire.Error
			if !errors.As(err, &e) || errors.Is(err, wire.ErrUTF8) == utf8.Valid(data) || e.Offset < 0 || e.Offset > len(data) {
				t.Fatalf("error %v", err)
			}
			return
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil {
			t.Fatal(err)
		}
		var task, text string
		json.Unmarshal(members["tid"], &task)
		json.Unmarshal(members["errmsg"], &text)
		if m.Task != task || m.Error != text {
			t.Fatalf("tid %q, errmsg %q, want %q, %q", m.Task, m.Error, task, text)
		}
		for name, want := range members {
			if got, ok := m.Raw(name); !ok || !bytes.Equal(got, want) {
				t.Fatalf("Raw(%q) = %s, %v, want %s", name, got, ok, want)
			}
		}
		if _, err := m.Plugin(); err != nil && !errors.As(err, new(*wire.Error)) {
			t.Fatal(err)
		}
		if d, ok := all[m.Type]; ok {
			checkAgain(t, d, m)
		}
	})
}

// checkAgain checks that what a frame means can be sent again, and then means the same.
func checkAgain(t *testing.T, d message, m *wire.Frame) {
	v, err := d.decode(m)
	if err != nil {
		var e *wire.Error
		if !errors.As(err, &e) || e.Type != m.Type || !strings.HasPrefix(e.Field, d.field) {
			t.Fatalf("error %v", err)
		}
		return
	}
	again, err := d.again(nil, m)
	if errors.Is(err, wire.ErrMemory) || errors.Is(err, wire.ErrLength) || errors.Is(err, wire.ErrValue) {
		return // what was left out made it too sparse; a string grew; a time or a number is none to be written
	}
	if err != nil {
		t.Fatalf("decoded, and then not encoded: %v", err)
	}
	m2, err := wire.Parse(again)
	if err != nil {
		t.Fatalf("%s: %v", again, err)
	}
	v2, err := d.decode(m2)
	if err != nil {
		t.Fatalf("%s: %v", again, err)
	}
	again2, err := d.again(nil, m2)
	if err != nil || !bytes.Equal(again, again2) {
		t.Fatalf("%+v is %s, and then %+v is %s, %v", v, again, v2, again2, err)
	}
}

// reference says whether data is a frame, by means of encoding/json.
func reference(data []byte) error {
	if !utf8.Valid(data) {
		return wire.ErrUTF8
	}
	if !json.Valid(data) {
		return wire.ErrSyntax
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := referenceValue(d, 0); err != nil {
		return err
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(data, &members) != nil || members == nil {
		return wire.ErrKind
	}
	var typ *int32
	if json.Unmarshal(members["type"], &typ) != nil || typ == nil || *typ < 0 {
		return wire.ErrNoType
	}
	for _, name := range []string{"tid", "errmsg"} {
		var s *string
		if raw, ok := members[name]; ok && json.Unmarshal(raw, &s) != nil {
			return wire.ErrKind
		}
		if name == "tid" && s != nil && len(*s) > wire.MaxTask {
			return wire.ErrLength
		}
	}
	return nil
}

// referenceValue reads one value, and checks its depth and its names.
func referenceValue(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth++; depth > 64 {
		return wire.ErrDepth
	}
	names := make(map[string]bool)
	for d.More() {
		if delim == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if names[name.(string)] {
				return wire.ErrDuplicate
			}
			names[name.(string)] = true
		}
		if err := referenceValue(d, depth); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// FuzzAppend sends what an author's program may hold, and receives it.
func FuzzAppend(f *testing.F) {
	f.Add("t", "text", []byte("bytes"), int64(1), uint64(2), 3.5, float32(4.5))
	f.Add("\xff", "\x00\"\\\u2028\xed\xa0\x80", []byte(nil), int64(math.MinInt64), uint64(math.MaxUint64), math.NaN(), float32(math.Inf(1)))
	f.Add("", "主机", bytes.Repeat([]byte{0xff}, 100), int64(-1), uint64(0), 1e-300, float32(1e-40))
	type payload struct {
		S string             `json:"s"`
		B []byte             `json:"b"`
		I int64              `json:"i"`
		U uint64             `json:"u"`
		F float64            `json:"f"`
		G float32            `json:"g"`
		P *payload           `json:"p,omitempty"`
		M map[string]float64 `json:"m,omitempty"`
		A any                `json:"a,omitempty"`
		L []string           `json:"l,omitempty"`
	}
	m := wire.Define[payload](30000, "payload", "p")
	f.Fuzz(func(t *testing.T, task, s string, b []byte, i int64, u uint64, x float64, y float32) {
		v := payload{S: s, B: b, I: i, U: u, F: x, G: y, L: strings.Split(s, ","), M: map[string]float64{s: x}}
		v.P = &payload{S: task, A: map[string]any{task: []any{s, x, nil, true}}}
		frame, err := m.Append(nil, task, &v)
		if err != nil {
			finite := !math.IsNaN(x) && !math.IsInf(x, 0) && !math.IsNaN(float64(y)) && !math.IsInf(float64(y), 0)
			if finite && len(task) <= wire.MaxTask/3 {
				t.Fatal(err)
			}
			return
		}
		got, err := wire.Parse(frame)
		if err != nil {
			t.Fatalf("%s: %v", frame, err)
		}
		back, err := m.Decode(got)
		if err != nil {
			t.Fatalf("%s: %v", frame, err)
		}
		var same struct {
			Task string  `json:"tid"`
			P    payload `json:"p"`
		}
		if err := json.Unmarshal(frame, &same); err != nil {
			t.Fatalf("%s: %v", frame, err)
		}
		if got.Task != same.Task || !reflect.DeepEqual(back, same.P) {
			t.Fatalf("%s:\n got %+v\nwant %+v", frame, back, same.P)
		}
		if s2 := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back.S != s2 || back.I != i || back.U != u || back.F != x || back.G != y || !bytes.Equal(back.B, b) {
			t.Fatalf("%s: got %+v, want %+v", frame, back, v)
		}
	})
}

// FuzzBase64 compares the base64 of bytes with encoding/base64.
func FuzzBase64(f *testing.F) {
	for _, s := range []string{"", "QQ==", "QUI=", "QUJD", "QUJDREVGR0g=", "QUJD\r\nREVG\n", "QUJDREVGR0hJSktMTU5PUA==x", "QUJDREV!", "QUJDREV!QUJDQUJD", "!UJDREVGQUJDQUJD", strings.Repeat("QUJD", 50) + "QQ=="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		frame := []byte(`{"type":12,"exec_data":{"data":` + string(quoted) + `}}`)
		m, err := wire.Parse(frame)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wire.ExecData.Decode(m)
		want, wantErr := base64.StdEncoding.DecodeString(strings.ToValidUTF8(s, "\ufffd"))
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got.Data, want) {
			t.Fatalf("%q: %v, %v, want %v, %v", s, got.Data, err, want, wantErr)
		}
		b, err := wire.ExecData.Append(nil, "", &wire.ExecDataPayload{Data: []byte(s)})
		if want := `{"type":12,"exec_data":{"data":"` + base64.StdEncoding.EncodeToString([]byte(s)) + `"}}`; err != nil || string(b) != want {
			t.Fatalf("%s, %v, want %s", b, err, want)
		}
	})
}

// FuzzChanged decodes a frame whose data was overwritten after Parse, as by a caller who uses its buffer again too early. It
// gets wrong values or an error.
func FuzzChanged(f *testing.F) {
	seen := make(map[wire.Type]bool)
	recorded(f, func(where string, frame []byte) {
		m, err := wire.Parse(frame)
		if err != nil {
			f.Fatal(where, err)
		}
		if !seen[m.Type] && len(frame) < 2048 {
			seen[m.Type] = true
			for _, change := range []string{`"`, `\`, `{`, `[`, `}`, `]`, `n`, `,`, `:`, `1`, "\x00"} {
				f.Add(frame, 20, []byte(change))
				f.Add(frame, len(frame)-3, []byte(strings.Repeat(change, 3)))
			}
		}
	})
	all := declared()
	add(all, wire.Define[everything](30000, "everything", "all"))
	add(all, ofForms)
	f.Fuzz(func(t *testing.T, data []byte, at int, change []byte) {
		data = bytes.Clone(data)
		m, err := wire.Parse(data)
		if err != nil || at < 0 || at > len(data) {
			return
		}
		copy(data[at:], change)
		if d, ok := all[m.Type]; ok {
			if _, err := d.decode(m); err != nil && !errors.As(err, new(*wire.Error)) {
				t.Fatal(err)
			}
		}
		m.Raw("x")
		m.Plugin()
	})
}
