package limit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/limit"
)

// These are the places in a tree of version 2 that an agent may be started in: a group with processes in it cannot have
// limited groups below it.
func TestPlacesOfVersion2(t *testing.T) {
	need(t, "cpu", "memory")
	if !isV2(t, "cpu") {
		t.Skip("SKIP: this machine has control groups of version 1")
	}
	const alone, wrapped = `exec "$0" "$@"`, `"$0" "$@"; true`
	for _, test := range []struct {
		name     string
		groups   []string // made for the test, each below the one before
		script   string   // what the shell does that has joined the last of them
		stranger bool     // there is another process
		want     string   // where the limits are, below the root; "" if nowhere
		note     string
	}{
		{"at the root", nil, alone, false, "jkframe-x", ""},
		{"a service of its own", []string{"limit-test.slice", "limit-test.service"}, alone, false, "limit-test.slice/limit-test.service/jkframe-x", ""},
		{"a service with a wrapper", []string{"limit-test.slice", "limit-test.service"}, wrapped, false, "limit-test.slice/limit-test.service/jkframe-x", ""},
		{"a service with a stranger", []string{"limit-test.slice", "limit-test.service"}, alone, true, "", "does not belong to this program"},
		{"a session with a shell", []string{"limit-test.slice", "session-limit-test.scope"}, wrapped, false, "limit-test.slice/jkframe-x", ""},
		{"a session with a stranger", []string{"limit-test.slice", "session-limit-test.scope"}, alone, true, "limit-test.slice/jkframe-x", ""},
		{"a scope of a container with a stranger", []string{"limit-test.slice", "docker-limit-test.scope"}, alone, true, "", "does not belong to this program"},
		{"a group without a suffix with a shell", []string{"limit-test"}, wrapped, false, "", "does not belong to this program"},
		{"a child of another agent", []string{"limit-test.slice", "jkframe-y", "agent"}, alone, true, "limit-test.slice/jkframe-y/jkframe-x", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := "/sys/fs/cgroup"
			for _, g := range test.groups {
				dir = filepath.Join(dir, g)
				mkgroup(t, dir)
				if strings.HasPrefix(g, "jkframe-") {
					lock(t, dir)
				}
			}
			clean(t)
			if test.stranger {
				stranger(t, dir)
			}
			script := test.script
			if len(test.groups) > 0 {
				script = "echo $$ >" + dir + "/cgroup.procs; " + script
			}
			a := startAgent(t, limit.Config{Name: "x", CPUQuota: 50, Memory: 256 << 20}, func(cmd *exec.Cmd) {
				cmd.Args = append([]string{"/bin/sh", "-c", script, cmd.Path}, cmd.Args[1:]...)
				cmd.Path = "/bin/sh"
			})
			for _, r := range a.first.Results {
				if test.want == "" && (r.Held() || !strings.Contains(r.Note, test.note)) {
					t.Errorf("%v, want it not held: %s", r, test.note)
				}
				if want := filepath.Join("/sys/fs/cgroup", test.want); test.want != "" && (!r.Held() || r.Where != want) {
					t.Errorf("%v, want it held in %s", r, want)
				}
			}
			if test.want != "" && strings.TrimSpace(a.first.Place) != "0::/"+test.want+"/agent" {
				t.Errorf("the agent is in %s", a.first.Place)
			}
			if test.want != "" {
				if s := a.do("where"); s.Err != "" || !strings.HasPrefix(s.Outcome, "0::/"+test.want+"/task-") {
					t.Errorf("a child in a group is in %s, %s", s.Outcome, s.Err)
				}
			}
			closed := a.do("close")
			if want := strings.TrimPrefix(dir, "/sys/fs/cgroup"); closed.Err != "" || strings.TrimSpace(closed.Place) != "0::"+max(want, "/") {
				t.Errorf("after Close the agent is in %q, %s", closed.Place, closed.Err)
			}
			a.stop()
		})
	}
}

// mkgroup makes a group and removes it when the test ends.
func mkgroup(t *testing.T, dir string) {
	t.Helper()
	_ = syscall.Rmdir(dir) // of a run that was killed
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Where there are other groups, it is not known whether they use what was switched on.
		if on, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control")); strings.HasSuffix(dir, ".service") && (err != nil || strings.TrimSpace(string(on)) != "") {
			t.Errorf("in %s these controllers are left on: %s, %v", dir, on, err)
		}
		if err := syscall.Rmdir(dir); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	})
}

// lock takes a group, as an agent does that lives there.
func lock(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
}

// stranger puts a process into a group that is no relative of an agent.
func stranger(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("sleep", long())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0); err != nil {
		t.Fatal(err)
	}
}

// A program that replaces itself by a new binary is in its old home, and must find that again.
func TestProgramThatReplacesItself(t *testing.T) {
	need(t, "cpu", "memory")
	clean(t)
	first := startAgent(t, limit.Config{Name: "x", CPUQuota: 40, Memory: 256 << 20})
	second := first.do("replace")
	if first.first.Place != second.Place {
		t.Errorf("before, the program was in\n%snow it is in\n%s", first.first.Place, second.Place)
	}
	for i, r := range second.Results {
		if old := first.first.Results[i]; !r.Held() || r.Where != old.Where {
			t.Errorf("%v, before %v", r, old)
		}
	}
	if closed := first.do("close"); closed.Err != "" || closed.Place != placeOf(os.Getpid()) {
		t.Errorf("after Close the program is in\n%s%s", closed.Place, closed.Err)
	}
}
