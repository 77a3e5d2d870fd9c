package limit_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/limit"
)

func TestResultInWords(t *testing.T) {
	for _, test := range []struct {
		result limit.Result
		want   string
		held   bool
	}{
		{
			limit.Result{Limit: limit.CPUQuota, Want: 150, Mechanism: limit.CgroupV2, Holds: 150, Where: "/sys/fs/cgroup/jkframe-x"},
			"cpu_quota 150% of a core: cgroup v2, /sys/fs/cgroup/jkframe-x", true,
		},
		{
			limit.Result{Limit: limit.Memory, Want: 512 << 20, Mechanism: limit.Systemd, Holds: 256 << 20, Where: "/sys/fs/cgroup/a.service"},
			"memory_limit 512 MiB: systemd at 256 MiB, /sys/fs/cgroup/a.service", true,
		},
		{
			limit.Result{Limit: limit.Memory, Want: 512 << 20, Mechanism: limit.Systemd, Holds: 1 << 30, Note: "why not ours"},
			"memory_limit 512 MiB: systemd at 1 GiB (why not ours)", false,
		},
		{
			limit.Result{Limit: limit.Memory, Want: 512 << 20, Mechanism: limit.GoRuntime, Holds: 460 << 20, Note: "no cgroups"},
			"memory_limit 512 MiB: Go runtime at 460 MiB (no cgroups)", false,
		},
		{
			limit.Result{Limit: limit.ReadBytes, Device: "8:0", Want: 10_000_000, Mechanism: limit.None, Note: "there is no block device 8:0"},
			"disk_limit.read_bytes of 8:0 9.5 MiB/s: not held (there is no block device 8:0)", false,
		},
		{
			limit.Result{Limit: limit.WriteIOPS, Device: "/dev/sda", Want: 1000, Mechanism: limit.CgroupV1, Holds: 1000},
			"disk_limit.write_iops of /dev/sda 1000/s: cgroup v1", true,
		},
		{limit.Result{Limit: limit.Processes, Want: 20, Mechanism: limit.JobObject, Holds: 20}, "processes 20: job object", true},
		{limit.Result{Limit: limit.Memory, Want: 1000, Mechanism: limit.None}, "memory_limit 1000 bytes: not held", false},
	} {
		if got := test.result.String(); got != test.want {
			t.Errorf("%+v:\ngot  %s\nwant %s", test.result, got, test.want)
		}
		if got := test.result.Held(); got != test.held {
			t.Errorf("%s: Held is %v", test.want, got)
		}
	}
}

func TestResultInLogAndJSON(t *testing.T) {
	r := limit.Result{Limit: limit.ReadBytes, Device: "8:0", Want: 1 << 20, Mechanism: limit.CgroupV1, Holds: 1 << 20, Where: "/g", Note: "n"}
	var line bytes.Buffer
	slog.New(slog.NewJSONHandler(&line, nil)).Info("limit holds", "result", r)
	var logged struct{ Result map[string]any }
	if err := json.Unmarshal(line.Bytes(), &logged); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var status map[string]any
	if err := json.Unmarshal(b, &status); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(logged.Result, status) {
		t.Errorf("log and status differ:\n%v\n%v", logged.Result, status)
	}
	if got := string(b); !strings.Contains(got, `"mechanism":"cgroup v1"`) || !strings.Contains(got, `"device":"8:0"`) {
		t.Errorf("JSON is %s", got)
	}
}

func TestHeadroomGrowsWithTheLimit(t *testing.T) {
	for _, test := range []struct{ limit, want uint64 }{
		{16 << 20, 4 << 20}, {64 << 20, 16 << 20}, {100 << 20, 16 << 20}, {512 << 20, 512 << 20 / 10}, {10 << 30, 1 << 30},
	} {
		if got := limit.Headroom(test.limit); got != test.want {
			t.Errorf("of %d: %d, want %d", test.limit, got, test.want)
		}
	}
}
