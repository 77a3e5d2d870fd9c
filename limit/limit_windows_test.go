package limit_test

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/jkstack/jkframe/v2/limit"
)

// wine says that this is not Windows: its job objects have no CPU rate, and no account of CPU time.
func wine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// held fails a test unless a job object holds a limit.
func held(t *testing.T, r limit.Result) {
	t.Helper()
	if r.Limit == limit.CPUQuota && wine() {
		t.Logf("wine: %v", r)
		return
	}
	if !r.Held() || r.Mechanism != limit.JobObject || r.Holds != r.Want {
		t.Errorf("%v, want a job object to hold it", r)
	}
}

func TestApplyHoldsTheProcess(t *testing.T) {
	a := startAgent(t, limit.Config{CPUQuota: 50, Memory: 512 << 20, Disk: []limit.Disk{{Dev: "8:0", ReadIOPS: 10}}})
	held(t, result(t, a.first.Results, limit.CPUQuota))
	held(t, result(t, a.first.Results, limit.Memory))
	if r := result(t, a.first.Results, limit.ReadIOPS); r.Held() || !strings.Contains(r.Note, "Windows has no limits of disk traffic") {
		t.Errorf("%v, want it not held", r)
	}
	if closed := a.do("close"); closed.Err != "" {
		t.Error(closed.Err)
	}
}

func TestGroup(t *testing.T) {
	applied, err := limit.Apply(limit.Config{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := applied.NewGroup(limit.GroupConfig{CPUQuota: 50, Memory: 256 << 20, Processes: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range g.Results() {
		held(t, r)
	}
	done := helper("fill", "16")
	var out strings.Builder
	done.Stdout = &out
	if err := g.Start(done); err != nil {
		t.Fatal(err)
	}
	if err := done.Wait(); err != nil || strings.TrimSpace(out.String()) != "16777216" {
		t.Errorf("a child within the limits wrote %q: %v", out.String(), err)
	}
	waiting := helper("wait")
	in, err := waiting.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := g.Start(waiting); err != nil {
		t.Fatal(err)
	}
	if u, err := g.Usage(); err != nil || u.Processes != 1 {
		t.Errorf("usage is %+v, %v", u, err)
	}
	if err := g.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := waiting.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("a killed child ended with %v", err)
	}
	if err := applied.Close(); err != nil {
		t.Fatal(err)
	}
	if u, err := g.Usage(); err != nil || (u.CPU <= 0 || u.CPU > time.Hour) && !wine() || u.Processes != 0 {
		t.Errorf("usage after Close is %+v, %v", u, err)
	}
	if err := g.Start(helper("wait")); !errors.Is(err, limit.ErrClosed) {
		t.Errorf("Start after Close: %v", err)
	}
}

// More memory than a 32-bit process can name takes nothing from the limits beside it.
func TestGroupWithAllTheMemoryOfALargeMachine(t *testing.T) {
	var none *limit.Applied
	g, err := none.NewGroup(limit.GroupConfig{Memory: 6 << 30, Processes: 1})
	if err != nil {
		t.Fatal(err)
	}
	held(t, result(t, g.Results(), limit.Processes))
	if r := result(t, g.Results(), limit.Memory); strconv.IntSize == 64 {
		held(t, r)
	} else if r.Held() || r.Mechanism != limit.None || !strings.Contains(r.Note, "6 GiB is more than a 32-bit process can set") {
		t.Errorf("%v, want it not held", r)
	}
	first := helper("wait")
	in, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := g.Start(first); err != nil {
		t.Fatal(err)
	}
	second := helper("fill", "1")
	refused := g.Start(second)
	if refused == nil {
		_ = second.Wait()
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	_ = first.Wait() // says that it was killed
	switch {
	case refused == nil && wine():
		t.Log("wine does not count the processes of a job")
	case refused == nil:
		t.Error("a group of one process took a second one")
	}
}

func TestStartThatFails(t *testing.T) {
	var none *limit.Applied
	g, err := none.NewGroup(limit.GroupConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Start(exec.Command(`C:\no\such\program.exe`)); err == nil {
		t.Error("started what does not exist")
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}
