package limit_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/limit"
)

// Under a real systemd, as its process 1 sees to it: testdata/systemd.sh boots a kernel for it.
func TestUnderSystemd(t *testing.T) {
	if os.Getenv("LIMIT_TEST_SYSTEMD") == "" {
		t.Skip("SKIP: needs a machine that is there for this test, see testdata/systemd.sh")
	}
	exe := forEverybody(t)
	const quota, memory = 50, 128 << 20
	for _, test := range []struct {
		name       string
		properties []string
		cpu        limit.Result
		memory     limit.Result
	}{
		{"plain unit", nil, limit.Result{Mechanism: limit.CgroupV2, Holds: quota}, limit.Result{Mechanism: limit.CgroupV2, Holds: memory}},
		{"delegated unit", []string{"Delegate=yes"}, limit.Result{Mechanism: limit.CgroupV2, Holds: quota}, limit.Result{Mechanism: limit.CgroupV2, Holds: memory}},
		{
			"delegated unit of a user",
			[]string{"Delegate=yes", "User=nobody"},
			limit.Result{Mechanism: limit.CgroupV2, Holds: quota},
			limit.Result{Mechanism: limit.CgroupV2, Holds: memory},
		},
		{
			"unit that is limited more tightly",
			[]string{"CPUQuota=30%", "MemoryMax=64M"},
			limit.Result{Mechanism: limit.Systemd, Holds: 30},
			limit.Result{Mechanism: limit.Systemd, Holds: 64 << 20},
		},
		{
			"unit of a user that is limited less tightly",
			[]string{"CPUQuota=80%", "MemoryMax=1G", "User=nobody"},
			limit.Result{Mechanism: limit.Systemd, Holds: 80, Note: "user 65534 is not permitted"},
			limit.Result{Mechanism: limit.Systemd, Holds: 1 << 30, Note: "user 65534 is not permitted"},
		},
		{
			"unit that protects control groups",
			[]string{"ProtectControlGroups=yes"},
			limit.Result{Mechanism: limit.None, Note: "read-only"},
			limit.Result{Mechanism: limit.GoRuntime, Note: "read-only"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := homes(t)
			a := startAgent(t, limit.Config{Name: "x", CPUQuota: quota, Memory: memory}, func(cmd *exec.Cmd) {
				run := []string{"systemd-run", "--pipe", "--wait", "--quiet", "--collect", "--unit=limit-test.service", "--setenv=" + helperVariable + "=agent"}
				for _, p := range test.properties {
					run = append(run, "--property="+p)
				}
				cmd.Args = append(append(run, exe), cmd.Args[1:]...)
				path, err := exec.LookPath(run[0])
				if err != nil {
					t.Fatal(err)
				}
				cmd.Path = path
			})
			for name, want := range map[string]limit.Result{limit.CPUQuota: test.cpu, limit.Memory: test.memory} {
				got := result(t, a.first.Results, name)
				if got.Mechanism != want.Mechanism || want.Holds != 0 && got.Holds != want.Holds || !strings.Contains(got.Note, want.Note) {
					t.Errorf("%v, want %v", got, want)
				}
			}
			// systemd goes over its groups on a reload, and when a unit's settings change.
			for _, args := range [][]string{{"daemon-reload"}, {"set-property", "--runtime", "limit-test.service", "CPUWeight=50"}} {
				if out, err := exec.Command("systemctl", args...).CombinedOutput(); err != nil {
					t.Errorf("systemctl %v: %v: %s", args, err, out)
				}
			}
			if cpu := result(t, a.first.Results, limit.CPUQuota); cpu.Mechanism == limit.CgroupV2 {
				if got := cat(t, cpu.Where, "cpu.max"); got != "50000 100000" {
					t.Errorf("after a reload cpu.max is %s", got)
				}
				if s := a.do("where"); s.Err != "" || !strings.Contains(s.Outcome, "/limit-test.service/jkframe-x/task-") {
					t.Errorf("a child in a group is in %q, %s", s.Outcome, s.Err)
				}
			}
			closed := a.do("close")
			if closed.Err != "" || !strings.HasSuffix(closed.Place, "/limit-test.service\n") {
				t.Errorf("after Close the agent is in %q, %s", closed.Place, closed.Err)
			}
			a.stop()
			if after := homes(t); len(after) != len(before) {
				t.Errorf("groups are left: %v", after)
			}
		})
	}
}
