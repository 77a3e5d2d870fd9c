package wire_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/wire"
)

// A message is a declaration without its Go type.
type message struct {
	name, field string
	decode      func(f *wire.Frame) (any, error)
	again       func(b []byte, f *wire.Frame) ([]byte, error) // decodes a frame and encodes what came of it
}

func declared() map[wire.Type]message {
	all := make(map[wire.Type]message)
	add(all, wire.Come)
	add(all, wire.Handshake)
	add(all, wire.AgentInfo)
	addCall(all, wire.Foo)
	add(all, wire.Exec)
	add(all, wire.Execd)
	add(all, wire.ExecData)
	add(all, wire.ExecDone)
	add(all, wire.ExecKill)
	addCall(all, wire.Ls)
	addCall(all, wire.Upload)
	add(all, wire.Download)
	add(all, wire.DownloadInfo)
	add(all, wire.DownloadData)
	add(all, wire.DownloadError)
	add(all, wire.DownloadSum)
	add(all, wire.OutOpen)
	add(all, wire.OutOpened)
	add(all, wire.OutAck)
	add(all, wire.OutGap)
	add(all, wire.OutLost)
	addCall(all, wire.HostStatic)
	addCall(all, wire.HostDynamic)
	addCall(all, wire.CollectStatus)
	add(all, wire.ChangeCollect)
	add(all, wire.MetricsStatus)
	add(all, wire.Install)
	add(all, wire.InstallReply)
	add(all, wire.LogCollect)
	addCall(all, wire.LogSwitch)
	add(all, wire.LogReport)
	addCall(all, wire.LogList)
	add(all, wire.LogDownload)
	add(all, wire.LogDownloadInfo)
	add(all, wire.LogDownloadData)
	return all
}

func addCall[Q, R any](all map[wire.Type]message, c wire.Call[Q, R]) {
	add(all, c.Request)
	add(all, c.Reply)
}

func add[T any](all map[wire.Type]message, m *wire.Message[T]) {
	if _, ok := all[m.Type()]; ok {
		panic("declared twice: " + m.Type().String())
	}
	all[m.Type()] = message{
		name: m.Name(), field: m.Field(),
		decode: func(f *wire.Frame) (any, error) { return m.Decode(f) },
		again: func(b []byte, f *wire.Frame) ([]byte, error) {
			v, err := m.Decode(f)
			if err != nil {
				return b, err
			}
			return m.Append(b, f.Task, &v)
		},
	}
}

// recorded calls fn with every frame that was recorded between agents and a server of the field, as it was sent.
func recorded(t testing.TB, fn func(where string, frame []byte)) {
	files, err := filepath.Glob("testdata/recorded/*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			var line struct{ Frame json.RawMessage }
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			fn(filepath.Base(name)+":"+strconv.Itoa(n), line.Frame)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(name, err)
		}
		file.Close()
	}
}

// What agents and servers of the field have said is understood without loss, and what is said again means the same.
func TestRecorded(t *testing.T) {
	all := declared()
	count := make(map[wire.Type]int)
	recorded(t, func(where string, frame []byte) {
		f, err := wire.Parse(frame)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		count[f.Type]++
		m, ok := all[f.Type]
		if !ok {
			t.Fatalf("%s: type %d is not declared", where, f.Type)
		}
		again, err := m.again(nil, f)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		want, got := value(t, frame), value(t, again)
		if f.Type == wire.AgentInfo.Type() {
			// No agent but a host of legacy plugins has these, and those of the field write them all the same.
			ai := want["ai"].(map[string]any)
			for _, name := range []string{"pe", "pr", "puc", "pop", "pob"} {
				if v := ai[name]; v != nil && v != json.Number("0") {
					t.Errorf("%s: %s is %v", where, name, v)
				}
				delete(ai, name)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %s\nwant %s", where, again, frame)
		}
	})
	want := map[wire.Type]int{1: 42, 2: 42, 7: 200, 8: 4, 9: 3, 10: 53, 11: 53, 12: 172, 13: 47, 14: 4, 20: 6, 21: 6,
		22: 25, 23: 25, 24: 14, 25: 14, 26: 44, 30: 2, 31: 8, 32: 13, 33: 78, 34: 5, 35: 5, 36: 6, 37: 34,
		10000: 4, 10001: 4, 10002: 4, 10003: 4, 10004: 6}
	if !reflect.DeepEqual(count, want) {
		t.Errorf("frames by type: %v, want %v", count, want)
	}
}

// value returns what a frame means. Numbers are kept as text: the peer's and ours have the same decimals.
func value(t *testing.T, frame []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(frame))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Every message has a number, a name and a field of its own, and its name is the label that metrics use.
func TestDeclared(t *testing.T) {
	names, fields := make(map[string]wire.Type), make(map[string]wire.Type)
	for typ, m := range declared() {
		if typ.Name() != m.name {
			t.Errorf("Type(%d).Name() = %q, want %q", int(typ), typ.Name(), m.name)
		}
		if other, ok := names[m.name]; ok {
			t.Errorf("%d and %d are both %q", typ, other, m.name)
		}
		names[m.name] = typ
		if m.field == "" {
			continue
		}
		if other, ok := fields[m.field]; ok {
			t.Errorf("%d and %d both have the payload %q", typ, other, m.field)
		}
		fields[m.field] = typ
	}
	if len(names) != 43 {
		t.Errorf("%d messages, want 43", len(names))
	}
}

func TestTypeString(t *testing.T) {
	for typ, want := range map[wire.Type]string{0: "error (0)", 12: "exec data (12)", 70: "70", 30000: "30000", -1: "-1"} {
		if got := typ.String(); got != want {
			t.Errorf("Type(%d).String() = %q, want %q", int(typ), got, want)
		}
		if name := typ.Name(); name != strings.TrimSuffix(strings.TrimSuffix(want, strconv.Itoa(int(typ))), " ("+strconv.Itoa(int(typ))+")") {
			t.Errorf("Type(%d).Name() = %q", int(typ), name)
		}
	}
}
