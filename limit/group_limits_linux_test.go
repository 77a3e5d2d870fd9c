package limit_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
)

// throttled is in how many of the periods in which a group ran it was stopped for its quota.
func throttled(t *testing.T, g *limit.Group) (stopped, periods int) {
	t.Helper()
	for _, dir := range g.Dirs() {
		stat, err := os.ReadFile(filepath.Join(dir, "cpu.stat"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(stat)) {
			fmt.Sscanf(line, "nr_periods %d", &periods)
			fmt.Sscanf(line, "nr_throttled %d", &stopped)
		}
	}
	return stopped, periods
}

// favour gives a group most of the CPU time that other programs want, too.
func favour(t *testing.T, g *limit.Group) {
	t.Helper()
	for _, dir := range g.Dirs() {
		for file, weight := range map[string]string{"cpu.shares": "262144", "cpu.weight": "10000"} {
			if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
				continue
			}
			for _, d := range []string{dir, filepath.Dir(dir)} {
				if err := os.WriteFile(filepath.Join(d, file), []byte(weight), 0); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestGroupHoldsCPU(t *testing.T) {
	need(t, "cpu")
	for _, percent := range []int{20, 50, 150} {
		t.Run(fmt.Sprint(percent), func(t *testing.T) {
			g := newGroup(t, limit.GroupConfig{CPUQuota: percent})
			favour(t, g)
			cmd := helper("spin", "2", "5")
			began := time.Now()
			if err := g.Start(cmd); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			elapsed := time.Since(began)
			used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			quota := elapsed * time.Duration(percent) / 100
			stopped, periods := throttled(t, g)
			t.Logf("%d %%: used %v of %v in %v, stopped in %d of %d periods", percent, used, quota, elapsed, stopped, periods)
			if used > quota*11/10 {
				t.Errorf("used %v, which is more than %v", used, quota)
			}
			if counted := usage(t, g).CPU; counted < used*9/10 || counted > used*11/10 {
				t.Errorf("Usage says %v, the kernel told the parent %v", counted, used)
			}
			if stopped == 0 {
				t.Skip("SKIP: the machine is too busy, or has too few cores, to use up the quota")
			}
			// In every period in which it was stopped, a tenth of a second, it has had all of its quota; in the others it was
			// kept waiting by other programs.
			if least := time.Duration(stopped*percent) * time.Millisecond * 9 / 10; used < least {
				t.Errorf("used %v, which is less than %v", used, least)
			}
		})
	}
}

func TestGroupHoldsMemory(t *testing.T) {
	need(t, "memory")
	g := newGroup(t, limit.GroupConfig{Memory: 64 << 20})
	small := helper("fill", "16")
	if err := g.Start(small); err != nil {
		t.Fatal(err)
	}
	if err := small.Wait(); err != nil {
		t.Errorf("a child within the limit: %v", err)
	}
	if u := usage(t, g); u.OOMKills != 0 {
		t.Errorf("usage of a child within the limit: %+v", u)
	}
	large := helper("fill", "200")
	if err := g.Start(large); err != nil {
		t.Fatal(err)
	}
	err := large.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("a child beyond the limit ended with %v, want it killed", err)
	}
	u := usage(t, g)
	if u.OOMKills != 1 {
		t.Errorf("the kernel killed %d processes, want 1", u.OOMKills)
	}
	if u.MemoryPeak < 48<<20 || u.MemoryPeak > 65<<20 {
		t.Errorf("the peak is %d bytes, want close to the limit of %d", u.MemoryPeak, 64<<20)
	}
}

// A child that takes all the agent's memory must die, and not the agent.
func TestAgentOutlivesItsChildrensHunger(t *testing.T) {
	need(t, "memory")
	clean(t)
	a := startAgent(t, limit.Config{Name: t.Name(), Memory: 200 << 20})
	s := a.do("fill")
	if s.Err != "" || s.Outcome != "signal: killed" {
		t.Errorf("the child ended with %q, %s", s.Outcome, s.Err)
	}
	if s.Usage.OOMKills != 1 {
		t.Errorf("usage of the child is %+v", s.Usage)
	}
	if closed := a.do("close"); closed.Err != "" {
		t.Error(closed.Err)
	}
}

// An operator's limit on the agent is on its tasks, too, and asking for more in a group does not help.
func TestGroupIsWithinTheLimitsOfTheProgram(t *testing.T) {
	need(t, "cpu")
	dir, prepare := outer(t, "limit-test", 30)
	clean(t)
	cmd := helper("group", "50")
	prepare(cmd)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.TrimSpace(string(out)), "cpu_quota 50% of a core: "+string(mechanism(t, "cpu"))+" at 30%"; !strings.HasPrefix(got, want) || !strings.Contains(got, dir) {
		t.Errorf("%s\nwant %s of a core, %s", got, want, dir)
	}
}

func TestGroupHoldsDisk(t *testing.T) {
	need(t, "io")
	dev := disk(t)
	const rate, amount = 2 << 20, 6 // bytes a second, MiB
	for _, what := range []string{"write", "read"} {
		config := limit.Disk{Dev: dev, ReadBytes: rate}
		if what == "write" {
			config = limit.Disk{Dev: dev, WriteBytes: rate}
		}
		g := newGroup(t, limit.GroupConfig{Disk: []limit.Disk{config}})
		if r := g.Results()[0]; r.Device != dev {
			t.Errorf("%v, want the device %s", r, dev)
		}
		began := time.Now()
		cmd := helper("direct", what, dev, fmt.Sprint(amount))
		if err := g.Start(cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		elapsed := time.Since(began)
		t.Logf("%s of %d MiB took %v", what, amount, elapsed)
		if want := amount << 20 * time.Second / rate; elapsed < want*9/10 {
			t.Errorf("%s of %d MiB took %v, at %d bytes a second it is %v", what, amount, elapsed, rate, want)
		}
	}
}

// disk gives a block device to write on: that of LIMIT_TEST_DISK, or a loop device.
func disk(t *testing.T) string {
	t.Helper()
	if dev := os.Getenv("LIMIT_TEST_DISK"); dev != "" {
		return dev
	}
	image := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 16<<20); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "--find", "--show", image).CombinedOutput()
	if err != nil {
		t.Skipf("SKIP: no loop device: %v: %s", err, out)
	}
	dev := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", dev).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return dev
}
