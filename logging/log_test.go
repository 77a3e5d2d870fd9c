package logging_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/jkstack/jkframe/v2/logging"
)

func open(t *testing.T, cfg logging.Config) *logging.Log {
	t.Helper()
	l, err := logging.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// An operator reads in both places what the program said.
func TestBothTargets(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	l := open(t, logging.Config{
		Target: []string{" stdout", "File"}, Dir: dir, Name: "agent", Stdout: &stdout, Stderr: &stderr,
	})
	l.Logger().Info("connected", "server", "10.0.0.1:13081")
	l.Logger().Debug("hidden")
	want := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO connected server=10\.0\.0\.1:13081\n$`)
	if got := stdout.String(); !want.MatchString(got) {
		t.Errorf("stdout: %q", got)
	}
	if got := read(t, filepath.Join(dir, "agent.log")); got != stdout.String() {
		t.Errorf("file: %q", got)
	}
	if stderr.Len() > 0 || l.Err() != nil {
		t.Errorf("faults: %q, %v", stderr.String(), l.Err())
	}
}
