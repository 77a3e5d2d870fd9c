package limit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/jkstack/jkframe/v2/limit"
)

// helpHere is what help does on this system alone.
func helpHere(name string, args []string) int {
	switch name {
	case "direct": // read or write, device, MiB: without the page cache
		if err := direct(args[0], args[1], number(args[2])); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	case "group": // percent: says what holds the quota of a group
		applied, err := limit.Apply(limit.Config{Name: "x"})
		if err != nil {
			panic(err)
		}
		g, err := applied.NewGroup(limit.GroupConfig{CPUQuota: number(args[0])})
		if err != nil {
			panic(err)
		}
		fmt.Println(g.Results()[0])
		if err := applied.Close(); err != nil {
			panic(err)
		}
		return 0
	case "read-only": // config: as an agent that sees control groups read-only
		remount(syscall.MS_RDONLY)
		return runAgent(args[0])
	case "stuck": // config: says how the limits of a program went that cannot leave its group, and those it sets up next
		var c limit.Config
		if err := json.Unmarshal([]byte(args[0]), &c); err != nil {
			panic(err)
		}
		say := json.NewEncoder(os.Stdout)
		for _, flags := range []uintptr{syscall.MS_RDONLY, 0} {
			applied, err := limit.Apply(c)
			if err != nil {
				panic(err)
			}
			s := state{Results: applied.Results()}
			remount(flags)
			if err := applied.Close(); err != nil {
				s.Err = err.Error()
			}
			remount(0)
			s.Place = placeOf(os.Getpid())
			say.Encode(s)
		}
		return 0
	}
	panic("no helper " + name)
}

// remount mounts the trees of control groups again, with flags besides those of a bind mount.
func remount(flags uintptr) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); strings.Contains(line, " - cgroup") {
			if err := syscall.Mount("", f[4], "", syscall.MS_REMOUNT|syscall.MS_BIND|flags, ""); err != nil {
				panic(err)
			}
		}
	}
}

// direct reads from a device or writes to it.
func direct(what, device string, mib int) error {
	flag, do := os.O_RDONLY, (*os.File).Read
	if what == "write" {
		flag, do = os.O_WRONLY, (*os.File).Write
	}
	f, err := os.OpenFile(device, flag|syscall.O_DIRECT, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	const size, align = 1 << 18, 4096
	buffer := make([]byte, size+align)
	buffer = buffer[align-uintptr(unsafe.Pointer(&buffer[0]))%align:][:size]
	for range mib << 20 / size {
		if _, err := do(f, buffer); err != nil {
			return err
		}
	}
	return nil
}

// kill ends the agent without a chance to clean up.
func (a *agent) kill() {
	a.cmd.Process.Kill()
	a.cmd.Wait()
}

// placeOf is where a process is in the trees of control groups.
func placeOf(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// surroundings is everything that this package may change.
func surroundings(t *testing.T) string {
	t.Helper()
	return fmt.Sprint(placeOf(os.Getpid()), homes(t), runtime.GOMAXPROCS(0), debug.SetMemoryLimit(-1))
}

// homes lists the groups that these tests have made. Those of other packages' tests, which run side by side, are not theirs.
func homes(t *testing.T) []string {
	t.Helper()
	ours := regexp.MustCompile(`^jkframe-(Test.*|[xy]|limit-bench)(-[0-9]+)?$`)
	var list []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, d os.DirEntry, err error) error {
		if os.IsNotExist(err) || errors.Is(err, syscall.ENODEV) {
			return nil // somebody else's, ended meanwhile
		}
		if err == nil && d.IsDir() && ours.MatchString(d.Name()) {
			list = append(list, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// clean fails a test that leaves groups behind.
func clean(t *testing.T) {
	t.Helper()
	before := homes(t)
	t.Cleanup(func() {
		if after := homes(t); !slices.Equal(after, before) {
			t.Errorf("groups before: %v, after: %v", before, after)
		}
	})
}

// need skips a test that this machine cannot run: without root, or without a controller of version 1 or 2. It asks the
// machine itself, so that a fault of the package cannot make a test skip. Where LIMIT_TEST_ALL is set, nothing may be
// missing.
func need(t *testing.T, controllers ...string) {
	t.Helper()
	missing := func(why string) {
		t.Helper()
		if os.Getenv("LIMIT_TEST_ALL") != "" {
			t.Fatalf("this machine should have everything: %s", why)
		}
		t.Skipf("SKIP: %s", why)
	}
	if os.Geteuid() != 0 {
		missing("needs root")
	}
	for _, c := range controllers {
		if dir := controllerDir(t, c); dir == "" {
			missing("no " + c + " controller is mounted")
		} else if probe, err := os.MkdirTemp(dir, "limit-test-"); err != nil {
			missing("no group can be made in " + dir)
		} else if err := syscall.Rmdir(probe); err != nil {
			t.Fatal(err)
		}
	}
}

// controllerDir is this process's directory in the tree of a controller, "" if there is none. It is for the usual mount
// points.
func controllerDir(t *testing.T, controller string) string {
	t.Helper()
	v1 := controller
	if controller == "io" {
		v1 = "blkio"
	}
	for line := range strings.Lines(placeOf(os.Getpid())) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if slices.Contains(strings.Split(f[1], ","), v1) {
			return filepath.Join("/sys/fs/cgroup", f[1], f[2])
		}
	}
	if offered, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err == nil && slices.Contains(strings.Fields(string(offered)), controller) {
		return "/sys/fs/cgroup"
	}
	return ""
}

// isV2 says that a controller is in a tree of version 2.
func isV2(t *testing.T, controller string) bool {
	t.Helper()
	return controllerDir(t, controller) == "/sys/fs/cgroup"
}

// cat reads a file of a group.
func cat(t *testing.T, dir, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// until waits for something that other processes bring about.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for pause := time.Millisecond; !done(); pause = min(2*pause, 100*time.Millisecond) {
		if t.Context().Err() != nil {
			t.Fatalf("never: %s", what)
		}
		<-time.After(pause)
	}
}
