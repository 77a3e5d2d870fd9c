package process_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
	"github.com/jkstack/jkframe/v2/process"
)

// mechanism is a way to keep a command's processes together.
type mechanism struct {
	name string
	make func(name string) (*limit.Group, error)
}

// mostProcesses is how many processes a command of a test may have.
const mostProcesses = 200

// groups lists the ways that this machine has. Where LIMIT_TEST_ALL is set, control groups of version 2 are one of them.
func groups(t *testing.T) []mechanism {
	t.Helper()
	return groupsWith(t, limit.GroupConfig{Processes: mostProcesses})
}

func groupsWith(t *testing.T, cfg limit.GroupConfig) []mechanism {
	t.Helper()
	all := []mechanism{{"process tree", nil}}
	if os.Geteuid() != 0 {
		t.Log("SKIP: control groups take root")
		return all
	}
	applied, err := limit.Apply(limit.Config{Name: "process-test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := applied.Close(); err != nil {
			t.Error(err)
		}
	})
	return append(all, mechanism{"control groups", func(name string) (*limit.Group, error) {
		cfg := cfg
		cfg.Name = name
		g, err := applied.NewGroup(cfg)
		if err == nil && os.Getenv("LIMIT_TEST_ALL") != "" && g.Mechanism() != limit.CgroupV2 {
			t.Errorf("a group is held by %v", g.Mechanism())
		}
		return g, err
	}})
}

// marked counts the processes that have a variable in their environment.
func marked(t *testing.T, variable string) (n int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if env, err := os.ReadFile(file); err == nil && bytes.Contains(append([]byte{0}, env...), []byte("\x00"+variable+"\x00")) {
			n++
		}
	}
	return n
}

// A fork bomb is bounded. With the kill it goes, and so does what had got away from it before: a session of its own, and a
// child that ignores SIGTERM.
func TestForkBomb(t *testing.T) {
	all := groups(t)
	if len(all) == 1 {
		t.Skip("SKIP: a bound on processes takes control groups, which take root")
	}
	mark, gate := "PROCESS_TEST_BOMB="+rand.Text(), filepath.Join(t.TempDir(), "gate")
	r := runner(t, process.Config{Grace: 100 * time.Millisecond, Group: all[1].make})
	var out buffer
	p, err := r.Start(t.Context(), process.Command{
		Line: "setsid sleep 1000 & echo $!; (trap '' TERM; sleep 1000 & echo $!; while :; do sleep 0.05; done) & while ! test -e $GATE; do sleep 0.02; done; f() { sleep 1000 & f | f & }; f; sleep 1000",
		Env:  []string{mark, "GATE=" + gate}, Output: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	children := []int{number(t, line(t, &out, 0)), number(t, line(t, &out, 1))}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	most := 0
	for large := 0; large < 3; { // the bomb goes off meanwhile, and each of its shells leaves something that stays
		n := marked(t, mark)
		if most = max(most, n); n > mostProcesses/5 {
			large++
		}
	}
	if most > mostProcesses {
		t.Errorf("%d processes at once, %d are allowed", most, mostProcesses)
	}
	p.Kill()
	if res := p.Wait(); res.Err != nil || res.Reason != process.Killed {
		t.Errorf("%+v", res)
	}
	for _, pid := range children {
		gone(t, pid)
	}
	for begin, n := time.Now(), 1; n > 0; {
		if n = marked(t, mark); n > 0 && time.Since(begin) > 5*time.Minute {
			t.Fatalf("%d processes are left", n)
		}
	}
}

// What takes more memory than its group may have is ended, and nothing else of the machine.
func TestMemoryBound(t *testing.T) {
	all := groupsWith(t, limit.GroupConfig{Memory: 32 << 20})
	if len(all) == 1 {
		t.Skip("SKIP: a bound on memory takes control groups, which take root")
	}
	g, err := all[1].make("")
	if err != nil {
		t.Fatal(err)
	}
	results := g.Results()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	for _, res := range results {
		if !res.Held() {
			t.Skip("SKIP: ", res)
		}
	}
	r := runner(t, process.Config{Group: all[1].make})
	out, res := run(t, r, process.Command{Line: "echo begun; tail /dev/zero; echo ended $?"})
	if !strings.HasPrefix(out, "begun\n") || strings.HasSuffix(out, "ended 0\n") || res.Reason != process.Itself {
		t.Errorf("%q, %+v", out, res)
	}
}
