package limit_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/limit"
)

func TestConfigThatMakesNoSense(t *testing.T) {
	disk := func(devs ...string) []limit.Disk {
		var list []limit.Disk
		for _, d := range devs {
			list = append(list, limit.Disk{Dev: d, ReadBytes: 1 << 20})
		}
		return list
	}
	for _, test := range []struct {
		name   string
		config limit.Config
		want   []string // each is in the error; nothing: it makes sense
	}{
		{"nothing", limit.Config{}, nil},
		{"everything", limit.Config{Name: "an agent", CPUQuota: 150, Memory: 512 << 20, Disk: disk("8:0", "/dev/sda")}, nil},
		{"quota of a large machine", limit.Config{CPUQuota: 51200}, nil},
		{"negative quota", limit.Config{CPUQuota: -1}, []string{"cpu_quota: -1"}},
		{"absurd quota", limit.Config{CPUQuota: math.MaxInt32}, []string{"cpu_quota: 2147483647"}},
		{"negative memory", limit.Config{Memory: -512}, []string{"memory_limit: -512"}},
		{"disk without device", limit.Config{Disk: disk("")}, []string{`disk_limit: entry 1: "dev" is missing`}},
		{"device without colon", limit.Config{Disk: disk("8")}, []string{`disk_limit: entry 1: device "8"`}},
		{"device with a letter", limit.Config{Disk: disk("8:0", "8:a")}, []string{`disk_limit: entry 2: device "8:a": minor`}},
		{"device twice", limit.Config{Disk: disk("8:0", "8:16", "8:0")}, []string{"entry 3: device 8:0 is entry 1 already"}},
		{"device twice, written differently", limit.Config{Disk: disk("8:0", "08:0")}, []string{"entry 2: device 08:0 is entry 1 already"}},
		{"name with a slash", limit.Config{Name: "../x"}, []string{`name "../x"`}},
		{"name with a newline", limit.Config{Name: "a\nb"}, []string{`name "a\nb"`}},
		{"name of bytes that are no text", limit.Config{Name: "a\xff"}, []string{"name"}},
		{"long name", limit.Config{Name: strings.Repeat("x", 201)}, []string{"201 bytes"}},
		{
			"everything wrong at once", limit.Config{CPUQuota: -1, Memory: -1, Name: "/", Disk: disk("x", "y")},
			[]string{"cpu_quota", "memory_limit", "name", "entry 1", "entry 2"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.config.Validate()
			if len(test.want) == 0 {
				if err != nil {
					t.Fatalf("refused, though it makes sense: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			c := test.config
			group := limit.GroupConfig{Name: c.Name, CPUQuota: c.CPUQuota, Memory: c.Memory, Disk: c.Disk}
			if again := group.Validate(); again == nil || again.Error() != err.Error() {
				t.Errorf("of a group the error is %v, want %v", again, err)
			}
		})
	}
}

func TestGroupConfigThatMakesNoSense(t *testing.T) {
	err := limit.GroupConfig{Name: "a/b", CPUQuota: -1, Processes: -2}.Validate()
	for _, want := range []string{"name", "cpu_quota", "processes: -2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
	var none *limit.Applied
	if g, err := none.NewGroup(limit.GroupConfig{Memory: -1}); err == nil || g != nil {
		t.Errorf("NewGroup gave %v, %v for a negative memory limit", g, err)
	}
}

// The configuration decodes by these tags, and a config file in the field has these names.
func TestConfigurationNames(t *testing.T) {
	want := map[string]string{
		"Name": "-", "CPUQuota": "cpu_quota", "Memory": "memory_limit,bytes", "Disk": "disk_limit",
		"Dev": "dev", "ReadBytes": "read_bytes,bytes", "WriteBytes": "write_bytes,bytes", "ReadIOPS": "read_iops", "WriteIOPS": "write_iops",
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[limit.Config](), reflect.TypeFor[limit.Disk]()} {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if f.Tag.Get("kv") != want[f.Name] {
				t.Errorf("%s.%s has the tag %q, want %q", typ, f.Name, f.Tag.Get("kv"), want[f.Name])
			}
			if f.Name != "Name" && f.Tag.Get("desc") == "" {
				t.Errorf("%s.%s has no description", typ, f.Name)
			}
			delete(want, f.Name)
		}
	}
	if len(want) > 0 {
		t.Errorf("fields are missing: %v", want)
	}
}

// An agent without limits must start as if this package were not there.
func TestNothingAskedForCostsNothing(t *testing.T) {
	before := surroundings(t)
	for _, config := range []limit.Config{{}, {Name: "x"}, {Disk: []limit.Disk{{Dev: "8:0"}}}} {
		applied, err := limit.Apply(config)
		if err != nil {
			t.Fatal(err)
		}
		if got := applied.Results(); len(got) != 0 {
			t.Errorf("%+v: results %v, though nothing was asked for", config, got)
		}
		if after := surroundings(t); after != before {
			t.Errorf("%+v: changed\n%s\nto\n%s", config, before, after)
		}
		if err := applied.Close(); err != nil {
			t.Error(err)
		}
		if after := surroundings(t); after != before {
			t.Errorf("%+v: Close changed\n%s\nto\n%s", config, before, after)
		}
	}
	if n := testing.AllocsPerRun(100, func() { limit.Apply(limit.Config{Name: "x"}) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func TestNilAppliedIsOneWithoutLimits(t *testing.T) {
	var none *limit.Applied
	if got := none.Results(); len(got) != 0 {
		t.Errorf("results %v", got)
	}
	if got := none.LogValue().Group(); len(got) != 0 {
		t.Errorf("log value %v", got)
	}
	if err := none.Close(); err != nil {
		t.Error(err)
	}
}
