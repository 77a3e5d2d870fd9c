package logging_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/logging"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// All that is wrong comes back at once, each with its field.
func TestInvalidConfig(t *testing.T) {
	_, err := logging.Open(logging.Config{
		Target: []string{"syslog"}, Size: -1, Rotate: -2, Format: "xml", RotateBy: "moon", Name: "a/b", Buffer: -1,
	})
	for _, want := range []string{
		`log.target: "syslog" is unknown: use stdout or file`, "log.size: -1", "log.rotate: -2", "log.format:",
		"log.rotate_by:", "log.name:", "log.buffer:",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	var field *logging.FieldError
	if !errors.As(err, &field) || field.Field != "target" {
		t.Errorf("first field: %v", field)
	}
}

// Rotated files hold every line once, in order, none is larger than the size, and the numbers rise with their age.
func TestRotateBySize(t *testing.T) {
	dir := t.TempDir()
	l := open(t, logging.Config{Target: []string{"file"}, Dir: dir, Name: "agent", Size: 1000, Rotate: 100})
	const lines = 200
	for i := range lines {
		l.Logger().Info("line", "n", i)
	}
	files, err := l.Files()
	if err != nil {
		t.Fatal(err)
	}
	next := lines - 1
	for i, f := range files {
		want := "agent.log"
		if i > 0 {
			want = fmt.Sprintf("agent.log.%d", i)
		}
		if f.Name != want || f.Size > 1000 {
			t.Errorf("file %d: %+v, want %s of at most 1000 bytes", i, f, want)
		}
		got := strings.Split(strings.TrimSpace(read(t, filepath.Join(dir, f.Name))), "\n")
		for _, line := range slices.Backward(got) {
			if !strings.HasSuffix(line, fmt.Sprintf(" INFO line n=%d", next)) {
				t.Fatalf("%s: %q, want line %d", f.Name, line, next)
			}
			next--
		}
	}
	if next != -1 {
		t.Errorf("lines up to %d are missing", next)
	}
}
