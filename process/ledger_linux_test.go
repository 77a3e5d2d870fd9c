package process_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/process"
)

// orphanVariable is in the environment of what runOrphan has started: other tests of this machine have commands too.
const orphanVariable = "LEDGER_OF_ORPHAN"

// runOrphan starts a command that is noted, and is killed meanwhile.
func runOrphan(dir string) int {
	l, _, err := process.OpenLedger(dir)
	if err != nil {
		return 1
	}
	r := process.NewRunner(process.Config{Ledger: l})
	p, err := r.Start(context.Background(), process.Command{
		Line: "(setsid sleep 1000 &) ; sleep 1000", Note: []byte("task-1"), Env: []string{orphanVariable + "=" + dir},
	})
	if err != nil {
		return 1
	}
	p.Wait()
	return 0
}

// An agent that was killed tells at its next start how each of its commands has ended, since it ends them then.
func TestLedger(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "running")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, dir)
	cmd.Env = append(os.Environ(), helperVariable+"=orphan")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ps := func() (sleeping int) {
		out, _ := exec.Command("sh", "-c", "grep -lzFx "+orphanVariable+"="+dir+" /proc/[0-9]*/environ 2>/dev/null | wc -l").Output()
		for _, c := range out {
			if c >= '0' && c <= '9' {
				sleeping = sleeping*10 + int(c-'0')
			}
		}
		return sleeping
	}
	for ; ; time.Sleep(10 * time.Millisecond) {
		if files, _ := filepath.Glob(dir + "/*.json"); len(files) == 1 && ps() >= 3 {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()

	if err := os.WriteFile(dir+"/torn.json", []byte(`{"note":"`), 0o600); err != nil {
		t.Fatal(err)
	}
	l, orphans, err := process.OpenLedger(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(orphans) != 1 || string(orphans[0].Note) != "task-1" || orphans[0].PID == 0 || time.Since(orphans[0].Begin) > time.Hour {
		t.Fatalf("orphans %+v", orphans)
	}
	if !alive(orphans[0].PID) {
		t.Error("the command has not outlived its parent: nothing is tested")
	}
	if err := l.End(orphans[0]); err != nil {
		t.Error(err)
	}
	gone(t, orphans[0].PID)
	if n := ps(); n != 0 {
		t.Errorf("%d processes are left", n)
	}
	if err := l.Forget(orphans[0]); err != nil {
		t.Error(err)
	}
	r := runner(t, process.Config{Ledger: l})
	if _, res := run(t, r, process.Command{Args: []string{"true"}, Note: []byte("task-2")}); res.Code != 0 {
		t.Errorf("%+v", res)
	}
	if _, err := r.Start(t.Context(), process.Command{Args: []string{"/no/such"}, Note: []byte("task-3")}); err == nil {
		t.Error("it was started")
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("%v are noted, and nothing runs", files)
	}
}
