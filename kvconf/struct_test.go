package kvconf_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

type basic struct {
	ID     string `kv:"id,expand"`
	Server string `kv:"server,expand"`
	Log    struct {
		Target []string `kv:"target"`
		Dir    string   `kv:"dir"`
		Size   uint64   `kv:"size,bytes"`
		Rotate int      `kv:"rotate"`
	} `kv:"log"`
	Monitor struct {
		Enabled  bool          `kv:"enabled"`
		Interval time.Duration `kv:"interval"`
	} `kv:"monitor"`
	Limit struct {
		CPUQuota    int    `kv:"cpu_quota"`
		MemoryLimit uint64 `kv:"memory_limit,bytes"`
		DiskLimit   []disk `kv:"disk_limit"`
	} `kv:"limit"`
}

type task struct {
	Interval time.Duration `kv:"interval"`
	QPSLimit uint          `kv:"qps_limit"`
	Allow    []string      `kv:"allow"`
}

type agent struct {
	basic `kv:"basic"`
	Task  struct {
		Jobs    []string `kv:"jobs"`
		Static  task     `kv:"static"`
		Usage   task     `kv:"usage"`
		Process task     `kv:"process"`
		Conns   task     `kv:"conns"`
		Temps   task     `kv:"temps"`
	} `kv:"task"`
}

// Files of agents in the field, as people wrote them and as those agents wrote them again.
func TestFilesOfTheField(t *testing.T) {
	files, err := filepath.Glob("testdata/conf/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c agent
		if err := kvconf.Unmarshal(data, &c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.Monitor.Interval != 2*time.Second || !c.Monitor.Enabled || c.Log.Target[0] != "stdout" || strings.Contains(c.Server, "#") {
			t.Errorf("%s: decoded to %+v", name, c)
		}
		again, err := kvconf.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var c2 agent
		if err := kvconf.Unmarshal(again, &c2); err != nil || !reflect.DeepEqual(c2, c) {
			t.Errorf("%s: written again and read: %+v, %v, want %+v", name, c2, err, c)
		}
	}
}

func TestFileWrittenByTheField(t *testing.T) {
	data, err := os.ReadFile("testdata/conf/metrics-2-put-none.conf")
	if err != nil {
		t.Fatal(err)
	}
	var c agent
	c.Task.Jobs = []string{"default"}
	c.Limit.DiskLimit = []disk{{Dev: "8:0"}}
	if err := kvconf.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	if c.Log.Size != 9_961_472 || c.Limit.MemoryLimit != 0 || c.Limit.DiskLimit != nil || len(c.Task.Jobs) != 0 {
		t.Errorf("decoded to %+v", c)
	}
	if c.Task.Conns.QPSLimit != 500 || len(c.Task.Conns.Allow) != 3 {
		t.Errorf("tasks: %+v", c.Task)
	}
}

type Inner struct {
	A string `kv:"a"`
}

type deep struct {
	B int `kv:"b"`
}

func TestEmbedding(t *testing.T) {
	type conf struct {
		Inner            // flat
		*deep2           // not exported: cannot be set, and has no tag for its fields to be seen
		deep   `kv:"in"` // a section
		Other  *Inner    `kv:"other"`
		Plain  Inner     // no tag, no setting
		Skip   string    `kv:"-"`
	}
	var c conf
	if err := kvconf.Unmarshal([]byte("a = x\nin.b = 7\nother.a = y\n"), &c); !errors.Is(err, kvconf.ErrType) {
		t.Errorf("an embedded pointer that cannot be set: %v", err)
	}
	type good struct {
		Inner
		deep  `kv:"in"`
		Other *Inner `kv:"other"`
		Unset *Inner `kv:"unset"`
		Plain Inner
		Skip  string `kv:"-"`
	}
	g := good{Plain: Inner{"p"}, Skip: "s"}
	if err := kvconf.Unmarshal([]byte("a = x\nin.b = 7\nother.a = y\n"), &g); err != nil {
		t.Fatal(err)
	}
	if g.A != "x" || g.B != 7 || g.Other == nil || g.Other.A != "y" || g.Unset != nil || g.Plain.A != "p" || g.Skip != "s" {
		t.Errorf("got %+v", g)
	}
	for _, key := range []string{"Plain.A", "Skip", "-", "Inner.a", "b"} {
		if err := kvconf.Unmarshal([]byte(key+" = 1"), &g); !errors.Is(err, kvconf.ErrUnknownKey) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

type deep2 struct {
	C int `kv:"c"`
}

type Shared struct {
	*Base
	Log struct {
		Size int `kv:"size"`
	} `kv:"log"`
}

type Base struct {
	ID string `kv:"id"`
}

func TestEmbeddedPointer(t *testing.T) {
	var c struct {
		Shared `kv:"basic"`
	}
	if err := kvconf.Unmarshal([]byte("basic.log.size = 1"), &c); err != nil || c.Base != nil {
		t.Errorf("%v, %+v", err, c)
	}
	if err := kvconf.Unmarshal([]byte("basic.id = x"), &c); err != nil || c.Base == nil || c.ID != "x" || c.Log.Size != 1 {
		t.Errorf("%v, %+v", err, c)
	}
}

// What is absent keeps what the struct held, so that defaults are set before.
func TestAbsentKeepsDefaults(t *testing.T) {
	var c agent
	c.ID, c.Log.Target, c.Log.Rotate, c.Monitor.Interval = "default", []string{"file"}, 7, time.Minute
	want := c
	want.Server = "x"
	if err := kvconf.Unmarshal([]byte("basic.server = x"), &c); err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("%v, got %+v", err, c)
	}
}

func TestMaps(t *testing.T) {
	type host struct {
		Addr string   `kv:"addr"`
		Tags []string `kv:"tags"`
		In   struct {
			N int `kv:"n"`
		} `kv:"in"`
	}
	var c struct {
		Labels map[string]string            `kv:"labels"`
		Ports  map[uint16]time.Duration     `kv:"ports"`
		Sizes  map[string]uint64            `kv:"sizes,bytes"`
		Hosts  map[string]host              `kv:"hosts"`
		Nested map[string]map[string]string `kv:"nested"`
		Any    map[string]any               `kv:"any"`
		JSON   map[string]int               `kv:"json"`
	}
	c.Labels = map[string]string{"kept": "1", "env": "default"}
	text := `
labels.env = prod
labels.a.b = dotted
ports.80 = 1s
sizes.x = 10M
hosts.alpha.addr = h1
hosts.alpha.tags = a,b
hosts.alpha.in.n = 3
hosts.beta.addr = h2
hosts.gamma = {"addr":"h3","in":{"n":4}}
nested.a.b.c = v
any.x = 1
any.y = null
json = {"a":1,"b":2}
`
	if err := kvconf.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	alpha, gamma := host{Addr: "h1", Tags: []string{"a", "b"}}, host{Addr: "h3"}
	alpha.In.N, gamma.In.N = 3, 4
	for _, pair := range [][2]any{
		{c.Labels, map[string]string{"kept": "1", "env": "prod", "a.b": "dotted"}},
		{c.Ports, map[uint16]time.Duration{80: time.Second}},
		{c.Sizes, map[string]uint64{"x": 10_000_000}},
		{c.Hosts, map[string]host{"alpha": alpha, "beta": {Addr: "h2"}, "gamma": gamma}},
		{c.Nested, map[string]map[string]string{"a": {"b.c": "v"}}},
		{c.Any, map[string]any{"x": "1", "y": nil}},
		{c.JSON, map[string]int{"a": 1, "b": 2}},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("got %#v, want %#v", pair[0], pair[1])
		}
	}
	for text, want := range map[string]string{
		"ports.http = 1s":                 "ports.http: \"http\" is not a whole number",
		"ports.70000 = 1s":                "70000 is not between 0 and 65535",
		"ports.80 = soon":                 "not a duration",
		"hosts.a.adr = 1":                 "hosts.a.adr: unknown key; did you mean addr?",
		"labels.a = 1\nlabels.a = 2":      "line 2:1: labels.a: the key is set again; it was first set in line 1",
		"hosts.a.in.n = x":                "not a whole number",
		"labels. = x":                     "labels.: unknown key",
		"hosts.a.addr.more = x":           "addr is a setting, not a section",
		"hosts = {\"a\":{\"adr\":\"x\"}}": "hosts.a.adr: unknown key; did you mean addr?",
	} {
		if err := kvconf.Unmarshal([]byte(text), &c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestIntoMap(t *testing.T) {
	text := "b = 1 # c\na.x = \"two\"\nnull = null\n"
	words := map[string]string{"kept": "yes", "b": "old"}
	if err := kvconf.Unmarshal([]byte(text), &words); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"kept": "yes", "b": "1", "a.x": "two", "null": "null"}; !reflect.DeepEqual(words, want) {
		t.Errorf("got %v", words)
	}
	var values map[string]any
	var anything any
	want := map[string]any{"b": "1", "a.x": "two", "null": nil}
	if err := kvconf.Unmarshal([]byte(text), &values); err != nil || !reflect.DeepEqual(values, want) {
		t.Errorf("map[string]any: %v, %v", values, err)
	}
	if err := kvconf.Unmarshal([]byte(text), &anything); err != nil || !reflect.DeepEqual(anything, any(want)) {
		t.Errorf("any: %v, %v", anything, err)
	}
	var numbers map[string]int8
	err := kvconf.Unmarshal([]byte("a = 1\nb = 300\nc = x"), &numbers)
	if !errors.Is(err, kvconf.ErrRange) || !errors.Is(err, kvconf.ErrValue) || !reflect.DeepEqual(numbers, map[string]int8{"a": 1}) {
		t.Errorf("map[string]int8: %v, %v", numbers, err)
	}
}

// A key that was there before the input is not a duplicate, one that comes twice is, with the right line.
func TestDuplicatesInMap(t *testing.T) {
	for _, start := range []map[string]string{nil, {}, {"a": "held"}, {"b": "held"}} {
		m := start
		d := kvconf.NewDecoder(strings.NewReader("\na = \"\\q\"\na = 1\nb = 2\na = 3\nb = 4\na = 5\n")).Tolerant()
		if err := d.Decode(&m); !errors.Is(err, kvconf.ErrSyntax) {
			t.Fatal(err)
		}
		var got []int
		for _, f := range d.Findings() {
			got = append(got, f.Line, f.FirstLine)
		}
		if want := []int{5, 3, 6, 4, 7, 3}; !reflect.DeepEqual(got, want) {
			t.Errorf("with %v before: lines and first lines %v, want %v", start, got, want)
		}
		if m["a"] != "5" || m["b"] != "4" {
			t.Errorf("the last one does not count: %v", m)
		}
	}
}

func TestSectionsAndSettingsAreNotTheSame(t *testing.T) {
	var c struct {
		A string `kv:"a"`
		S struct {
			B string `kv:"b"`
		} `kv:"s"`
	}
	for text, want := range map[string]string{
		"a.b = 1":   "a.b: unknown key; a is a setting, not a section",
		"a.b.c = 1": "a is a setting, not a section",
		"s = 1":     "s: this is a section; its settings are written as s.name = value",
		"s.b.c = 1": "s.b is a setting",
	} {
		if err := kvconf.Unmarshal([]byte(text), &c); !errors.Is(err, kvconf.ErrUnknownKey) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// Mistakes of the program are told at once and by the name of the field, whatever is in the file.
func TestTypesThatCannotBeDecoded(t *testing.T) {
	type pointers *pointers
	type loop struct {
		Next *loop `kv:"next"`
	}
	for want, v := range map[string]any{
		"only into a pointer":      struct{}{},
		"nil":                      (*struct{})(nil),
		"cannot decode into <nil>": nil,
		"cannot decode into *int":  new(int),
		"field C: chan int has no form": &struct {
			C chan int `kv:"c"`
		}{},
		"field F: func() has no form": &struct {
			F []func() `kv:"f"`
		}{},
		"field E: error has methods": &struct {
			E error `kv:"e"`
		}{},
		"field M: float64 cannot be the key": &struct {
			M map[float64]int `kv:"m"`
		}{},
		"field S: the option bytes is for integers": &struct {
			S string `kv:"s,bytes"`
		}{},
		"field T: the option bytes is for integers": &struct {
			T time.Duration `kv:"t,bytes"`
		}{},
		`unknown option "byte"`: &struct {
			S int `kv:"s,byte"`
		}{},
		"field x: the field has a tag but cannot be set": &struct {
			x int `kv:"x"`
		}{},
		"field X: the tag `kv:\",bytes\"` has no name": &struct {
			X int `kv:",bytes"`
		}{},
		"field X: the tag `kv:\"a=b\"` is no key": &struct {
			X int `kv:"a=b"`
		}{},
		"field B: the key a is taken": &struct {
			A, B int `kv:"a"`
		}{},
		"field S: the key a is taken": &struct {
			A int      `kv:"a"`
			S struct{} `kv:"a"`
		}{},
		"field S: the options of the tag are for settings": &struct {
			S struct{} `kv:"s,expand"`
		}{},
		"contains itself": &loop{},
		"is a pointer to a pointer": &struct {
			P pointers `kv:"p"`
		}{},
		"complex128 has no form": &map[string]complex128{},
		"the name dev is taken": &struct {
			L []struct {
				A, B int `kv:"dev"`
			} `kv:"l"`
		}{},
	} {
		err := kvconf.Unmarshal([]byte("a = 1"), v)
		if !errors.Is(err, kvconf.ErrType) || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: %v, want ErrType with %q", v, err, want)
		}
		if all := (kvconf.Errors)(nil); errors.As(err, &all) {
			t.Errorf("%T: a mistake of the program is reported as one of the file", v)
		}
	}
}

func TestPointerToPointerToStruct(t *testing.T) {
	var c *Inner
	if err := kvconf.Unmarshal([]byte("a = x"), &c); err != nil || c == nil || c.A != "x" {
		t.Errorf("%v, %+v", err, c)
	}
}
