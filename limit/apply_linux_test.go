package limit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
)

// mechanism is what must hold a limit here.
func mechanism(t *testing.T, controller string) limit.Mechanism {
	if isV2(t, controller) {
		return limit.CgroupV2
	}
	return limit.CgroupV1
}

func TestApplyHoldsTheProcessAndItsChildren(t *testing.T) {
	need(t, "cpu", "memory")
	clean(t)
	a := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 40, Memory: 256 << 20})
	cpu, memory := result(t, a.first.Results, limit.CPUQuota), result(t, a.first.Results, limit.Memory)
	for _, r := range a.first.Results {
		if want := mechanism(t, map[string]string{limit.CPUQuota: "cpu", limit.Memory: "memory"}[r.Limit]); !r.Held() || r.Mechanism != want || r.Holds != r.Want {
			t.Errorf("%v, want it held by %s", r, want)
		}
		if filepath.Base(r.Where) != "jkframe-"+t.Name() {
			t.Errorf("%v is not in a group of the program's name", r)
		}
	}
	if !strings.Contains(a.first.Place, "/jkframe-"+t.Name()) {
		t.Errorf("the agent is in\n%s", a.first.Place)
	}
	if isV2(t, "cpu") {
		if got := cat(t, cpu.Where, "cpu.max"); got != "40000 100000" {
			t.Errorf("cpu.max is %s", got)
		}
		if got := cat(t, memory.Where, "memory.max"); got != strconv.Itoa(256<<20) {
			t.Errorf("memory.max is %s", got)
		}
	} else {
		if got := cat(t, cpu.Where, "cpu.cfs_quota_us") + "/" + cat(t, cpu.Where, "cpu.cfs_period_us"); got != "40000/100000" {
			t.Errorf("quota is %s", got)
		}
		if got := cat(t, memory.Where, "memory.limit_in_bytes"); got != strconv.Itoa(256<<20) {
			t.Errorf("memory.limit_in_bytes is %s", got)
		}
	}
	// 3 s with two threads
	spent := a.do("spin").Spent
	if quota := 3 * time.Second * 40 / 100; spent > quota*11/10+quota/10 {
		t.Errorf("a child used %v of CPU time in 3 s, 40 %% of a core is %v", spent, quota)
	}
	closed := a.do("close")
	if closed.Err != "" {
		t.Error(closed.Err)
	}
	if want := placeOf(os.Getpid()); closed.Place != want {
		t.Errorf("after Close, the agent is in\n%swant\n%s", closed.Place, want)
	}
}

func TestGoRuntimeIsToldOfLimits(t *testing.T) {
	need(t, "cpu", "memory")
	clean(t)
	plain := startAgent(t, limit.Config{Name: t.Name()})
	a := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 20, Memory: 512 << 20})
	if want := int64(512<<20 - 512<<20/10); a.first.MemLimit != want && a.first.MemLimit != want+1 {
		t.Errorf("GOMEMLIMIT is %d, want %d", a.first.MemLimit, want)
	}
	if want := min(2, runtime.NumCPU()); a.first.MaxProcs != want {
		t.Errorf("GOMAXPROCS is %d, want %d", a.first.MaxProcs, want)
	}
	if closed := a.do("close"); closed.MemLimit != plain.first.MemLimit || closed.MaxProcs != plain.first.MaxProcs {
		t.Errorf("after Close GOMEMLIMIT is %d and GOMAXPROCS %d; %d and %d were there before", closed.MemLimit, closed.MaxProcs, plain.first.MemLimit, plain.first.MaxProcs)
	}

	fixed := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 20, Memory: 512 << 20}, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, "GOMEMLIMIT=100MiB", "GOMAXPROCS=7")
	})
	if fixed.first.MemLimit != 100<<20 || fixed.first.MaxProcs != 7 {
		t.Errorf("GOMEMLIMIT is %d and GOMAXPROCS %d, though the environment sets them", fixed.first.MemLimit, fixed.first.MaxProcs)
	}
}

// An agent that was killed must start again, in the same group, with the limits that its configuration has now.
func TestGroupOfADeadRunIsTakenOver(t *testing.T) {
	need(t, "cpu", "memory")
	clean(t)
	first := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 40, Memory: 256 << 20})
	left := first.do("leak").Outcome
	first.kill()
	before := homes(t)
	second := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 60})
	if got, want := result(t, second.first.Results, limit.CPUQuota), result(t, first.first.Results, limit.CPUQuota); !got.Held() || got.Where != want.Where {
		t.Errorf("%v, want it in %s", got, want.Where)
	}
	if after := homes(t); !slices.Equal(after, before) {
		t.Errorf("groups %v, before %v", after, before)
	}
	// What the first one's memory limit was must not be on what the second one has not limited.
	if dir := result(t, second.first.Results, limit.CPUQuota).Where; isV2(t, "memory") {
		if got := cat(t, dir, "memory.max"); got != "max" {
			t.Errorf("memory.max is %s", got)
		}
	}
	pid := number(left)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the first agent's child", func() bool { return !strings.Contains(placeOf(pid), t.Name()) })
	if closed := second.do("close"); closed.Err != "" {
		t.Error(closed.Err)
	}
	// In version 1 the first one's group for memory is the last to have stayed; the next one that limits memory removes it.
	third := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 40, Memory: 256 << 20})
	if closed := third.do("close"); closed.Err != "" {
		t.Error(closed.Err)
	}
}

// Two agents of one name must not share their limits, nor remove one another's.
func TestTwoProgramsOfOneName(t *testing.T) {
	need(t, "cpu")
	clean(t)
	one := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 40})
	two := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 60})
	a, b := result(t, one.first.Results, limit.CPUQuota), result(t, two.first.Results, limit.CPUQuota)
	if !a.Held() || !b.Held() || b.Where != a.Where+"-2" {
		t.Errorf("%v and %v", a, b)
	}
	if closed := one.do("close"); closed.Err != "" {
		t.Error(closed.Err)
	}
	if _, err := os.Stat(b.Where); err != nil {
		t.Errorf("the end of the one took the other's limits: %v", err)
	}
}

// outer puts a helper process into a group of the test's own that has a quota.
func outer(t *testing.T, name string, percent int) (dir string, prepare func(*exec.Cmd)) {
	t.Helper()
	dir = filepath.Join(controllerDir(t, "cpu"), name)
	_ = syscall.Rmdir(dir) // of a run that was killed
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Rmdir(dir); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	})
	file, value := "cpu.cfs_quota_us", strconv.Itoa(percent*1000)
	if isV2(t, "cpu") {
		if err := os.WriteFile("/sys/fs/cgroup/cgroup.subtree_control", []byte("+cpu"), 0); err != nil {
			t.Fatal(err)
		}
		file, value = "cpu.max", value+" 100000"
	}
	if err := os.WriteFile(filepath.Join(dir, file), []byte(value), 0); err != nil {
		t.Fatal(err)
	}
	return dir, func(cmd *exec.Cmd) {
		// A shell joins the group and then becomes the command, as an agent's unit would start it.
		cmd.Args = append([]string{"/bin/sh", "-c", "echo $$ >" + dir + "/cgroup.procs && exec \"$0\" \"$@\"", cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
	}
}

// What systemd or a container allows is not the agent's to widen, and the operator sees what is in force.
func TestTighterLimitFromAbove(t *testing.T) {
	need(t, "cpu")
	for _, test := range []struct {
		name, group string
		outer, want int
		mechanism   limit.Mechanism
	}{
		{"tighter by a unit", "limit-test.service", 30, 50, limit.Systemd},
		{"the same", "limit-test.service", 50, 50, limit.Systemd},
		{"tighter by somebody", "limit-test", 30, 50, mechanism(t, "cpu")},
		{"wider", "limit-test.slice", 80, 50, mechanism(t, "cpu")},
	} {
		t.Run(test.name, func(t *testing.T) {
			clean(t)
			dir, prepare := outer(t, test.group, test.outer)
			a := startAgent(t, limit.Config{Name: "x", CPUQuota: test.want}, prepare)
			got := result(t, a.first.Results, limit.CPUQuota)
			want := limit.Result{
				Limit: limit.CPUQuota, Want: uint64(test.want), Mechanism: test.mechanism,
				Holds: uint64(min(test.outer, test.want)), Where: dir, Note: got.Note,
			}
			if test.outer > test.want {
				want.Where = filepath.Join(dir, "jkframe-x")
			}
			if got != want || !got.Held() {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			if closed := a.do("close"); closed.Err != "" {
				t.Error(closed.Err)
			}
			a.stop()
		})
	}
}

// Whatever a host cannot do, the rest must hold, and the operator must be told in words.
func TestWhatCannotBeHeldIsSaid(t *testing.T) {
	need(t, "cpu", "memory", "io")
	clean(t)
	a := startAgent(t, limit.Config{
		Name: t.Name(), CPUQuota: 100 * (runtime.NumCPU() + 1), Memory: 1 << 20,
		Disk: []limit.Disk{
			{Dev: "4095:77", ReadBytes: 1 << 20}, {Dev: "/dev/null", ReadIOPS: 10}, {Dev: "/no/such", WriteIOPS: 10}, {Dev: "8", WriteIOPS: 10},
		},
	})
	for i, want := range []struct {
		held bool
		note string
	}{
		{true, fmt.Sprintf("more than the %d cores there are", runtime.NumCPU())},
		{false, "the process has "},
		{false, "there is no block device 4095:77"},
		{false, "/dev/null is not a block device"},
		{false, "/no/such: no such file"},
		{false, `device "8" is neither major:minor`},
	} {
		if r := a.first.Results[i]; r.Held() != want.held || !strings.Contains(r.Note, want.note) {
			t.Errorf("%v\nwant held: %v, note: %s", r, want.held, want.note)
		}
	}
	if want := `disk_limit: entry 4: device "8"`; !strings.Contains(a.first.Err, want) {
		t.Errorf("the error is %q, want %q", a.first.Err, want)
	}
	if a.first.MemLimit != math.MaxInt64 {
		t.Errorf("GOMEMLIMIT is %d, which the process has more than", a.first.MemLimit)
	}
}

func TestReadOnlyControlGroups(t *testing.T) {
	need(t, "cpu", "memory")
	clean(t)
	a := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 50, Memory: 512 << 20}, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, helperVariable+"=read-only")
		cmd.SysProcAttr = mountsOfItsOwn()
	})
	for _, r := range a.first.Results {
		if r.Held() || !strings.Contains(r.Note, "the control group file system is read-only at /sys/fs/cgroup") {
			t.Errorf("%v, want it not held, as control groups are read-only", r)
		}
	}
	if memory := result(t, a.first.Results, limit.Memory); memory.Mechanism != limit.GoRuntime || memory.Holds == 0 || uint64(a.first.MemLimit) != memory.Holds {
		t.Errorf("%v, want the Go runtime to be told instead; its limit is %d", memory, a.first.MemLimit)
	}
}

func mountsOfItsOwn() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
}

// A program that could not be moved back says so, and its next limits are in the same group, not in another beside or below it.
func TestLimitsAfterACloseThatFailed(t *testing.T) {
	need(t, "cpu", "memory")
	clean(t)
	config, err := json.Marshal(limit.Config{Name: t.Name(), CPUQuota: 50, Memory: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	cmd := helper("stuck", string(config))
	cmd.SysProcAttr = mountsOfItsOwn()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var first, second state
	if said := json.NewDecoder(bytes.NewReader(out)); said.Decode(&first) != nil || said.Decode(&second) != nil {
		t.Fatalf("it said %s", out)
	}
	if !strings.Contains(first.Err, "read-only file system") || !strings.Contains(first.Place, "/jkframe-"+t.Name()) {
		t.Errorf("the first limits went with the error %q from\n%s", first.Err, first.Place)
	}
	for i, r := range second.Results {
		if old := first.Results[i]; !r.Held() || r.Where != old.Where {
			t.Errorf("%v, before %v", r, old)
		}
	}
	if second.Err != "" || second.Place != placeOf(os.Getpid()) {
		t.Errorf("after the second Close it is in\n%s%s", second.Place, second.Err)
	}
}

func TestUnprivileged(t *testing.T) {
	need(t, "cpu", "memory")
	clean(t)
	exe := forEverybody(t)
	a := startAgent(t, limit.Config{Name: t.Name(), CPUQuota: 50, Memory: 512 << 20}, func(cmd *exec.Cmd) {
		cmd.Path = exe
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	})
	for _, r := range a.first.Results {
		if r.Held() || !strings.Contains(r.Note, "user 65534 is not permitted to change control groups at /sys/fs/cgroup") {
			t.Errorf("%v, want it not held, as a user may not", r)
		}
	}

	if s := a.do("where"); s.Err != "" || s.Outcome != a.first.Place {
		t.Errorf("a child in a group is in %s, %s", s.Outcome, s.Err)
	}
}

// forEverybody copies the test's binary to where every user can run it.
func forEverybody(t *testing.T) string {
	t.Helper()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "limit-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "agent")
	if err := os.WriteFile(exe, self, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return exe
}
