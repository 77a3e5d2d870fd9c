package limit_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/limit"
)

// newGroup makes a group in a program that has no limits of its own.
func newGroup(t *testing.T, config limit.GroupConfig) *limit.Group {
	t.Helper()
	clean(t)
	applied, err := limit.Apply(limit.Config{Name: strings.ReplaceAll(t.Name(), "/", "_")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := applied.Close(); err != nil {
			t.Error(err)
		}
	})
	g, err := applied.NewGroup(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range g.Results() {
		if !r.Held() {
			t.Errorf("%v, want it held", r)
		}
	}
	return g
}

// usage is what a group has used.
func usage(t *testing.T, g *limit.Group) limit.Usage {
	t.Helper()
	u, err := g.Usage()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// bomb is a shell function that forks two of itself, seven times over: 255 processes if nothing holds it.
const bomb = `f() { if [ $1 -gt 0 ]; then f $(($1-1)) & f $(($1-1)) & fi; sleep $LONG; }; f 7 2>/dev/null`

func TestForkBomb(t *testing.T) {
	need(t, "pids")
	const most = 20
	g := newGroup(t, limit.GroupConfig{Processes: most})
	cmd := shell(bomb)
	if err := g.Start(cmd); err != nil {
		t.Fatal(err)
	}
	until(t, "a fork that is denied", func() bool {
		u := usage(t, g)
		if u.Processes > most {
			t.Fatalf("%d processes, the limit is %d", u.Processes, most)
		}
		return u.ForksDenied > 0
	})
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	until(t, "the end of all processes", func() bool { return usage(t, g).Processes == 0 })
}

// A group that was killed must not kill what is started in it afterwards, nor a group that was killed by somebody else.
func TestStartInAKilledGroup(t *testing.T) {
	need(t, "memory", "pids")
	g := newGroup(t, limit.GroupConfig{Name: "killed"})
	for range 3 {
		cmd := shell("sleep $LONG & wait")
		if err := g.Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := g.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Error("it was not killed")
		}
		until(t, "the end of all processes", func() bool { return usage(t, g).Processes == 0 })
		after := exec.Command("/bin/true")
		if err := g.Start(after); err != nil {
			t.Fatal(err)
		}
		if err := after.Wait(); err != nil {
			t.Errorf("started after Kill: %v", err)
		}
	}
}

// detach runs a command that leaves its session and its parents, twice.
const detach = `setsid sh -c '(setsid sleep $LONG >/dev/null 2>&1 </dev/null &) ; (sleep $LONG & exec sleep $LONG &)' & sleep $LONG & wait`

// long is how many seconds the children of this test sleep, and no others.
func long() string { return strconv.Itoa(1_000_000 + os.Getpid()) }

// shell is a command of a shell, in which LONG is long.
func shell(script string) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Env = append(os.Environ(), "LONG="+long())
	return cmd
}

func TestNothingEscapes(t *testing.T) {
	for _, test := range []struct {
		name string
		want limit.Mechanism
		make func(*testing.T) *limit.Group
		kill func(*limit.Group) error
	}{
		{"control group", "cgroup", cgroupForTest, (*limit.Group).Kill},
		{"control group, frozen", "cgroup", cgroupForTest, (*limit.Group).KillFrozen},
		{"control group, started stopped", "cgroup", func(t *testing.T) *limit.Group {
			g := cgroupForTest(t)
			g.StartStopped()
			return g
		}, (*limit.Group).Kill},
		{"process tree", limit.ProcessTree, func(t *testing.T) *limit.Group {
			var none *limit.Applied
			g, err := none.NewGroup(limit.GroupConfig{})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}, (*limit.Group).Kill},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := test.make(t)
			if !strings.HasPrefix(string(g.Mechanism()), string(test.want)) {
				t.Errorf("the group is a %s, want a %s", g.Mechanism(), test.want)
			}
			bystander := helper("wait")
			in, err := bystander.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := bystander.Start(); err != nil {
				t.Fatal(err)
			}
			cmd := shell(detach)
			if err := g.Start(cmd); err != nil {
				t.Fatal(err)
			}
			until(t, "five processes that sleep or wait", func() bool { return usage(t, g).Processes == 5 && sleepers(t) >= 4 })
			if err := test.kill(g); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			until(t, "the end of all processes", func() bool { return usage(t, g).Processes == 0 && sleepers(t) == 0 })
			if err := g.Close(); err != nil {
				t.Error(err)
			}
			in.Close()
			if err := bystander.Wait(); err != nil {
				t.Errorf("a process that was not in the group: %v", err)
			}
		})
	}
}

func cgroupForTest(t *testing.T) *limit.Group {
	need(t, "memory", "pids")
	return newGroup(t, limit.GroupConfig{})
}

// sleepers counts the descendants of this test that sleep for long.
func sleepers(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && string(b) == "sleep\x00"+long()+"\x00" {
			n++
		}
	}
	return n
}

// The first thing that a child does must be done within its limits.
func TestChildIsAMemberBeforeItRuns(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		t.Run(fmt.Sprintf("started stopped: %v", stopped), func(t *testing.T) {
			need(t, "cpu", "memory", "pids", "io")
			g := newGroup(t, limit.GroupConfig{Name: "first", CPUQuota: 50, Memory: 64 << 20, Processes: 5})
			if stopped {
				g.StartStopped()
			}
			cmd := exec.Command("/bin/cat", "/proc/self/cgroup")
			var out strings.Builder
			cmd.Stdout = &out
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := g.Start(cmd); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			for _, controller := range []string{"cpu", "memory", "pids"} {
				if !slices.ContainsFunc(strings.Split(out.String(), "\n"), func(line string) bool {
					return (strings.Contains(line, ":"+controller+":") || strings.HasPrefix(line, "0::/") && isV2(t, controller)) && strings.HasSuffix(line, "/task-first")
				}) {
					t.Errorf("the child is not in the group of %s:\n%s", controller, out.String())
				}
			}
		})
	}
}

func TestStartThatFails(t *testing.T) {
	need(t, "memory", "pids")
	for _, stopped := range []bool{false, true} {
		g := newGroup(t, limit.GroupConfig{})
		if stopped {
			g.StartStopped()
		}
		if err := g.Start(exec.Command("/no/such/program")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v, want that it does not exist", err)
		}
		cmd := shell("exit 7")
		if err := g.Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
			t.Errorf("the child ended with %v, want 7", err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestGroupAfterClose(t *testing.T) {
	need(t, "cpu", "memory")
	g := newGroup(t, limit.GroupConfig{Memory: 64 << 20})
	cmd := helper("spin", "1", "1")
	if err := g.Start(cmd); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	dirs := g.Dirs()
	for range 2 {
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range dirs {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is there still: %v", dir, err)
		}
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if u := usage(t, g); u.CPU < used*9/10 || u.MemoryPeak == 0 || u.Processes != 0 {
		t.Errorf("usage after Close is %+v, the kernel told the parent of %v", u, used)
	}
	if err := g.Start(exec.Command("/bin/true")); !errors.Is(err, limit.ErrClosed) {
		t.Errorf("Start after Close: %v", err)
	}
	if err := g.Kill(); err != nil {
		t.Errorf("Kill after Close: %v", err)
	}
}

// An agent that stops must not leave what it started in groups.
func TestCloseEndsGroups(t *testing.T) {
	need(t, "memory", "pids")
	clean(t)
	applied, err := limit.Apply(limit.Config{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	var cmds []*exec.Cmd
	for range 3 {
		g, err := applied.NewGroup(limit.GroupConfig{})
		if err != nil {
			t.Fatal(err)
		}
		cmd := shell("sleep $LONG & wait")
		if err := g.Start(cmd); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, cmd)
	}
	if err := applied.Close(); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range cmds {
		if err := cmd.Wait(); err == nil {
			t.Error("a child ended by itself")
		}
	}
	if n := sleepers(t); n != 0 {
		t.Errorf("%d processes live", n)
	}
	if _, err := applied.NewGroup(limit.GroupConfig{}); !errors.Is(err, limit.ErrClosed) {
		t.Errorf("NewGroup after Close: %v", err)
	}
}

func TestGroupsHaveNames(t *testing.T) {
	need(t, "memory")
	clean(t)
	applied, err := limit.Apply(limit.Config{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	defer applied.Close()
	one, err := applied.NewGroup(limit.GroupConfig{Name: "install"})
	if err != nil {
		t.Fatal(err)
	}
	if g, err := applied.NewGroup(limit.GroupConfig{Name: "install"}); err == nil {
		t.Errorf("two groups of one name: %v", g)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	two, err := applied.NewGroup(limit.GroupConfig{Name: "install"})
	if err != nil {
		t.Fatal(err)
	}
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
}

// A group that is full takes no more, whichever way a child would come into it.
func TestFullGroup(t *testing.T) {
	need(t, "pids")
	for _, stopped := range []bool{false, true} {
		g := newGroup(t, limit.GroupConfig{Processes: 1})
		if stopped {
			g.StartStopped()
		}
		first := exec.Command("sleep", long())
		if err := g.Start(first); err != nil {
			t.Fatal(err)
		}
		if err := g.Start(exec.Command("sleep", long())); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("a second process: %v", err)
		}
		if u := usage(t, g); u.Processes != 1 {
			t.Errorf("%d processes", u.Processes)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		first.Wait()
	}
}
