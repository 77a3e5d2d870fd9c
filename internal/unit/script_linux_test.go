package unit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/unit"
)

// On a host that is busy a program takes its time to begin: it counts as started all the same, and can be stopped. One that ends
// at once does not count.
func TestSysVOnABusyHost(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err == nil {
		sleep, err = filepath.EvalSymlinks(sleep)
	}
	if err != nil || filepath.Base(sleep) != "sleep" {
		t.Skip("SKIP: there is no program sleep of its own")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "setsid"), []byte("#!/bin/sh\nsleep 3\nexec \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		arg  string
		said string // at start, stop
	}{{"600", "Started\nStopped\n"}, {"nonsense", "Not started: see the log of slow\nStopped\n"}} {
		s := unit.Service{Name: "slow", Description: "slow", Executable: sleep, Args: []string{c.arg}, Dir: dir, User: "root"}
		script := strings.NewReplacer("/var/run", dir, "PATH=", "PATH="+dir+":").Replace(unit.SysV(s))
		var said strings.Builder
		for _, action := range []string{"start", "stop"} {
			cmd := exec.CommandContext(t.Context(), "sh", "-s", action)
			cmd.Stdin = strings.NewReader(script)
			out, _ := cmd.CombinedOutput() // with a status that says the same
			said.Write(out)
		}
		if said.String() != c.said {
			t.Errorf("sleep %s: %q, want %q", c.arg, said.String(), c.said)
		}
	}
}
