package wire_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// Nothing that was decoded changes when the buffer of the read is used again.
func TestNoAlias(t *testing.T) {
	all := declared()
	everythings := wire.Define[everything](30000, "everything", "all")
	add(all, everythings)
	check := func(where string, data []byte) {
		data = bytes.Clone(data)
		f, err := wire.Parse(data)
		if err != nil {
			t.Fatal(where, err)
		}
		v, err := all[f.Type].decode(f)
		if err != nil {
			t.Fatal(where, err)
		}
		task := strings.Clone(f.Task)
		before, err := json.Marshal(v)
		if err != nil {
			t.Fatal(where, err)
		}
		for i := range data {
			data[i] = 'x'
		}
		after, err := json.Marshal(v)
		if err != nil || !bytes.Equal(before, after) || f.Task != task {
			t.Errorf("%s: %.100s became %.100s, %v", where, before, after, err)
		}
	}
	recorded(t, check)
	v := full()
	data, err := everythings.Append(nil, "task", &v)
	if err != nil {
		t.Fatal(err)
	}
	check("everything", data)
}

// Sending what is sent most allocates nothing.
func TestAppendAllocates(t *testing.T) {
	b := make([]byte, 0, 64<<10)
	const task = "20261120-00009-eda6487f896855c2"
	output := wire.ExecDataPayload{Data: bytes.Repeat([]byte("output\r\n"), 128)}
	block := wire.DownloadDataPayload{Data: wire.Block("$0$" + strings.Repeat("QUJD", 8192))}
	info := wire.AgentInfoPayload{Version: "1", CPUUsage: 0.25214595, GC: wire.GCQuantiles{Q50: 0.000040892}}
	report := wire.HostDynamicReply{Begin: time.Now(), End: time.Now(), Usage: &wire.HostUsage{
		CPU:        wire.CPUUsage{Usage: 80.11},
		Partitions: []wire.PartitionUsage{{Name: "/", Used: 1, Usage: 37.94}, {Name: "/opt", Used: 1, Usage: 37.94}},
		Interfaces: []wire.InterfaceUsage{{Name: "lo", BytesSent: 1}},
	}}
	come := wire.ComePayload{ID: "a", IP: []byte{192, 0, 2, 10}, HostName: "host-01"}
	for name, send := range map[string]func() ([]byte, error){
		"foo":           func() ([]byte, error) { return wire.Foo.Request.Append(b, task, nil) },
		"bar":           func() ([]byte, error) { return wire.Foo.Reply.Append(b, task, &wire.Empty{}) },
		"exec data":     func() ([]byte, error) { return wire.ExecData.Append(b, task, &output) },
		"download data": func() ([]byte, error) { return wire.DownloadData.Append(b, task, &block) },
		"agent info":    func() ([]byte, error) { return wire.AgentInfo.Append(b, "", &info) },
		"usage":         func() ([]byte, error) { return wire.HostDynamic.Reply.Append(b, "", &report) },
		"come":          func() ([]byte, error) { return wire.Come.Append(b, "", &come) },
		"error":         func() ([]byte, error) { return wire.AppendError(b, task, "no such file: \"x\""), nil },
	} {
		if out, err := send(); err != nil || &out[0] != &b[:1][0] {
			t.Fatalf("%s: %v, or another buffer", name, err)
		}
		// The pool of encoders may be emptied by the garbage collector meanwhile.
		if n := testing.AllocsPerRun(1000, func() { send() }); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// Messages are used by many goroutines at once.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	m := wire.Define[everything](30000, "everything", "all")
	v := full()
	want, err := m.Append(nil, "task", &v)
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		wg.Go(func() {
			for range 50 {
				f, err := wire.Parse(want)
				if err != nil {
					t.Error(err)
					return
				}
				v, err := m.Decode(f)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := m.Append(nil, f.Task, &v); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s, %v, want %s", got, err, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestEnvelope(t *testing.T) {
	b := wire.AppendError([]byte("before"), "t\"1", "no \"file\"\n")
	if want := `before{"type":0,"tid":"t\"1","errmsg":"no \"file\"\n"}`; string(b) != want {
		t.Errorf("%s, want %s", b, want)
	}
	if b := wire.AppendError(nil, strings.Repeat("t", 257), "x"); string(b) != `{"type":0,"errmsg":"x"}` {
		t.Errorf("%s: a task that nobody can have was sent", b)
	}
	f, err := wire.Parse(b[len("before"):])
	if err != nil || f.Type != wire.ErrorType || f.Task != "t\"1" || f.Error != "no \"file\"\n" {
		t.Errorf("%+v, %v", f, err)
	}

	p := wire.Plugin{Name: "exec", Version: "1.0", MD5: [16]byte{1, 255}, URI: "/p"}
	b, err = wire.Exec.AppendPlugin(nil, "t", &p, &wire.ExecPayload{Cmd: "ls", Timeout: 1})
	if want := `{"type":10,"tid":"t","plugin":{"name":"exec","version":"1.0","md5":[1,255,0,0,0,0,0,0,0,0,0,0,0,0,0,0],"uri":"/p"},"exec":{"cmd":"ls","timeout":1}}`; err != nil || string(b) != want {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
	if f, err = wire.Parse(b); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Plugin(); err != nil || !reflect.DeepEqual(got, p) {
		t.Errorf("%+v, %v, want %+v", got, err, p)
	}
	if e, err := wire.Exec.Decode(f); err != nil || e.Cmd != "ls" {
		t.Errorf("%+v, %v", e, err)
	}
	if raw, ok := f.Raw("exec"); !ok || string(raw) != `{"cmd":"ls","timeout":1}` {
		t.Errorf("%s, %v", raw, ok)
	}
	for _, name := range []string{"", "Exec", "cmd", "execd"} {
		if raw, ok := f.Raw(name); ok {
			t.Errorf("Raw(%q) = %s", name, raw)
		}
	}
}
