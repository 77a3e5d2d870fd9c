package logging_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// fileConfig is a log to files only.
func fileConfig(t *testing.T) logging.Config {
	return logging.Config{
		Target: []string{logging.TargetFile}, Dir: t.TempDir(), Name: "agent", Stderr: stderr{t},
	}
}

// stderr fails the test when the log shows a fault.
type stderr struct{ t *testing.T }

func (s stderr) Write(p []byte) (int, error) {
	s.t.Helper()
	s.t.Errorf("fault: %s", p)
	return len(p), nil
}

// clock is a clock that a test sets.
type clock struct{ t atomic.Pointer[time.Time] }

func (c *clock) set(t time.Time) { c.t.Store(&t) }
func (c *clock) get() time.Time  { return *c.t.Load() }

// names are the names of files, as Files has them.
func names(t *testing.T, l *logging.Log) (names []string) {
	t.Helper()
	files, err := l.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		names = append(names, f.Name)
	}
	return names
}

// messages are the lines of a file without their times.
func messages(t *testing.T, path string) (m []string) {
	t.Helper()
	text := read(t, path)
	if strings.HasSuffix(path, ".gz") {
		zr, err := gzip.NewReader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(zr)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	for line := range strings.Lines(text) {
		_, message, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " INFO ")
		if !ok || !strings.HasSuffix(line, "\n") {
			t.Errorf("%s: %q is no line of INFO", path, line)
		}
		m = append(m, message)
	}
	return m
}

// write makes a file with one line of the log.
func write(t *testing.T, path, message string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("2026-11-20 10:00:00.000 INFO "+message+"\n"), 0o640); err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Rotated files hold every line once, in order, none is larger than the size, and the numbers rise with their age.
func TestRotateBySize(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Size, cfg.Rotate = 1000, 100
	l := open(t, cfg)
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
		if f.Name != want || f.Size > 1000 || i > 0 && f.Size < 900 {
			t.Errorf("file %d: %+v, want %s of almost 1000 bytes", i, f, want)
		}
		for _, m := range slices.Backward(messages(t, filepath.Join(cfg.Dir, f.Name))) {
			if m != fmt.Sprintf("line n=%d", next) {
				t.Fatalf("%s: %q, want line %d", f.Name, m, next)
			}
			next--
		}
	}
	if next != -1 {
		t.Errorf("lines up to %d are missing", next)
	}
	if got := l.Stats().Rotations; got != uint64(len(files)-1) {
		t.Errorf("%d rotations, %d rotated files", got, len(files)-1)
	}
}

// As many files are kept as asked for, the newest, and nobody else's file is touched.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Size, cfg.Rotate = 100, 3
		foreign := []string{
			"agent.log.1.bak", "agent.log.01", "agent-2.log.9", "agent_20200101.log", "agent.log.old", "Agent.log.5", "other.log.7",
		}
		for _, name := range foreign {
			write(t, filepath.Join(cfg.Dir, name), "mine")
		}
		if err := os.Mkdir(filepath.Join(cfg.Dir, "agent.log.44"), 0o700); err != nil {
			t.Fatal(err)
		}
		l := open(t, cfg)
		for i := range 100 {
			l.Logger().Info(fmt.Sprintf("line %02d: %060d", i, i))
		}
		synctest.Wait()
		equal(t, "files", names(t, l), []string{"agent.log", "agent.log.1", "agent.log.2", "agent.log.3"})
		for i, name := range names(t, l) {
			if m := messages(t, filepath.Join(cfg.Dir, name)); len(m) != 1 || !strings.HasPrefix(m[0], fmt.Sprintf("line %02d:", 99-i)) {
				t.Errorf("%s: %q", name, m)
			}
		}
		for _, name := range foreign {
			equal(t, name, messages(t, filepath.Join(cfg.Dir, name)), []string{"mine"})
		}
		if _, err := os.Stat(filepath.Join(cfg.Dir, "agent.log.44")); err != nil {
			t.Error(err)
		}
	})
}

// Only a line that is longer than the size makes a file larger, and only by itself.
func TestLongLine(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Size, cfg.Rotate = 1000, 100
	l := open(t, cfg)
	long := strings.Repeat("x", 1<<20)
	l.Logger().Info("before")
	l.Logger().Info(long)
	l.Logger().Info("after")
	equal(t, "files", names(t, l), []string{"agent.log", "agent.log.1", "agent.log.2"})
	for name, want := range map[string]string{"agent.log.2": "before", "agent.log.1": long, "agent.log": "after"} {
		if m := messages(t, filepath.Join(cfg.Dir, name)); len(m) != 1 || m[0] != want {
			t.Errorf("%s: %d lines, %.20q", name, len(m), m)
		}
	}
}

// A new start goes on where the last one stopped, whatever that left behind.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Size, cfg.Rotate = 100, 10
		path := func(name string) string { return filepath.Join(cfg.Dir, name) }
		// Killed after a rotation, before the numbers were given; a hole from an operator.
		write(t, path("agent.log.0"), "c")
		write(t, path("agent.log.1"), "b")
		write(t, path("agent.log.3"), "a")
		// And the machine lost power within a line.
		if err := os.WriteFile(path("agent.log"), []byte("2026-11-20 10:00:00.000 INFO torn"), 0o640); err != nil {
			t.Fatal(err)
		}
		l := open(t, cfg)
		l.Logger().Info("d")
		synctest.Wait()
		equal(t, "files", names(t, l), []string{"agent.log", "agent.log.1", "agent.log.2", "agent.log.3"})
		for name, want := range map[string][]string{
			"agent.log.3": {"a"}, "agent.log.2": {"b"}, "agent.log.1": {"c"}, "agent.log": {"torn", "d"},
		} {
			equal(t, name, messages(t, path(name)), want)
		}
	})
}

// A file that was made too large with another size is rotated before the first line.
func TestSmallerSize(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Size = 100
	write(t, filepath.Join(cfg.Dir, "agent.log"), strings.Repeat("x", 200))
	l := open(t, cfg)
	l.Logger().Info("new")
	equal(t, "current file", messages(t, filepath.Join(cfg.Dir, "agent.log")), []string{"new"})
}

// A new file has the permissions that an operator gave to the one before it.
func TestPermissions(t *testing.T) {
	notOnWindows(t, "has no such permissions")
	cfg := fileConfig(t)
	cfg.Size = 100
	l := open(t, cfg)
	path := filepath.Join(cfg.Dir, "agent.log")
	mode := func() os.FileMode {
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return st.Mode().Perm()
	}
	if m := mode(); m&^0o640 != 0 {
		t.Errorf("a new file has %v", m)
	}
	if err := os.Chmod(path, 0o604); err != nil {
		t.Fatal(err)
	}
	l.Logger().Info(strings.Repeat("x", 100))
	l.Logger().Info("new")
	if m := mode(); m != 0o604 {
		t.Errorf("after a rotation: %v", m)
	}
}

// A log by date has a file a day, parts when a day is too long for one, and keeps the newest of all of them.
func TestRotateByDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now clock
		now.set(time.Date(2026, 1, 30, 23, 59, 59, 0, time.Local))
		cfg := logging.WithClock(fileConfig(t), now.get)
		cfg.RotateBy, cfg.Size, cfg.Rotate = logging.RotateByDate, 100, 4
		l := open(t, cfg)
		say := func(m string) { l.Logger().Info(m + strings.Repeat("-", 60)) }
		say("a")
		for _, m := range []string{"b", "c", "d"} { // a day and a half later each
			now.set(now.get().Add(36 * time.Hour))
			say(m)
		}
		say("e") // does not fit into the file of that day
		synctest.Wait()
		equal(t, "files", names(t, l), []string{
			"agent_20260204.log", "agent_20260204.log.1", "agent_20260202.log", "agent_20260201.log", "agent_20260130.log",
		})
		now.set(now.get().Add(24 * time.Hour))
		say("f")
		synctest.Wait()
		equal(t, "files", names(t, l), []string{
			"agent_20260205.log", "agent_20260204.log", "agent_20260204.log.1", "agent_20260202.log", "agent_20260201.log",
		})
		for name, want := range map[string]string{"agent_20260204.log.1": "d", "agent_20260204.log": "e", "agent_20260201.log": "b"} {
			if m := messages(t, filepath.Join(cfg.Dir, name)); len(m) != 1 || m[0][:1] != want {
				t.Errorf("%s: %q, want %s", name, m, want)
			}
		}
	})
}

// When the clock jumps, lines go to the file of the day that it says, forwards and back, and none is lost.
func TestClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := time.Date(2026, 3, 15, 12, 0, 0, 0, time.Local)
		var now clock
		now.set(day)
		cfg := logging.WithClock(fileConfig(t), now.get)
		cfg.RotateBy = logging.RotateByDate
		l := open(t, cfg)
		for i, jump := range []int{0, 10 * 365, 0, -1, -40 * 365, 0} {
			now.set(day.AddDate(0, 0, jump))
			l.Logger().Info(fmt.Sprint("line ", i))
		}
		equal(t, "today", messages(t, filepath.Join(cfg.Dir, "agent_20260315.log")), []string{"line 0", "line 2", "line 5"})
		equal(t, "yesterday", messages(t, filepath.Join(cfg.Dir, "agent_20260314.log")), []string{"line 3"})
		if files := names(t, l); len(files) != 4 {
			t.Errorf("files: %v", files)
		}
	})
}

// A file that nobody has written to for longer than the age is removed, also when the log does not rotate.
func TestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Age = 48 * time.Hour
		for name, age := range map[string]time.Duration{"agent.log.1": 46 * time.Hour, "agent.log.2": 49 * time.Hour, "agent.log.3": time.Hour} {
			path := filepath.Join(cfg.Dir, name)
			write(t, path, name)
			if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
				t.Fatal(err)
			}
		}
		l := open(t, cfg)
		synctest.Wait()
		equal(t, "files", names(t, l), []string{"agent.log", "agent.log.1", "agent.log.3"})
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		equal(t, "files after three hours", names(t, l), []string{"agent.log", "agent.log.3"})
	})
}
