package logging_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A line waits in the buffer until there are enough of them or it has waited for long enough.
func TestBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Buffer, cfg.Flush = 1000, 5*time.Second
		l := open(t, cfg)
		path := filepath.Join(cfg.Dir, "agent.log")

		l.Logger().Info("waits")
		time.Sleep(5*time.Second - time.Nanosecond)
		equal(t, "too early", messages(t, path), nil)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		equal(t, "in time", messages(t, path), []string{"waits"})

		l.Logger().Info("waits too")
		l.Flush()
		equal(t, "flushed", messages(t, path), []string{"waits", "waits too"})

		full := strings.Repeat("x", 300)
		for range 4 { // three lines fit into 1000 bytes
			l.Logger().Info(full)
		}
		equal(t, "full", messages(t, path), []string{"waits", "waits too", full, full, full})

		huge := strings.Repeat("y", 2000)
		l.Logger().Info(huge)
		equal(t, "longer than the buffer", messages(t, path), []string{"waits", "waits too", full, full, full, full, huge})
	})
}

// An error is written at once, with all that waited before it.
func TestBufferError(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Buffer = 1 << 20
	l := open(t, cfg)
	l.Logger().Warn("first")
	l.Logger().Error("second")
	got := strings.Count(read(t, filepath.Join(cfg.Dir, "agent.log")), "\n")
	if got != 2 {
		t.Errorf("%d lines in the file", got)
	}
}

// Closing writes what waits.
func TestBufferClose(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Buffer = 1 << 20
	l := open(t, cfg)
	l.Logger().Info("waits")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	equal(t, "file", messages(t, filepath.Join(cfg.Dir, "agent.log")), []string{"waits"})
	l.Logger().Info("too late")
	if err := l.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if lost := l.Stats().Lost; lost != 1 {
		t.Errorf("%d lines lost after Close", lost)
	}
}

// A panic is in the log, with its stack and with what waited before it, and goes on.
func TestLogPanic(t *testing.T) {
	for _, value := range []any{errors.New("boom"), "boom", fmt.Stringer(time.Duration(1))} {
		cfg := fileConfig(t)
		cfg.Buffer = 1 << 20
		l := open(t, cfg)
		func() {
			defer func() {
				if p := recover(); p != value {
					t.Errorf("the panic became %v", p)
				}
			}()
			defer l.LogPanic()
			l.Logger().Info("before")
			panic(value)
		}()
		text := read(t, filepath.Join(cfg.Dir, "agent.log"))
		want := fmt.Sprintf(` ERROR panic panic=%v panic.stack="`, value)
		if !strings.Contains(text, " INFO before\n") || !strings.Contains(text, want) || !strings.Contains(text, "TestLogPanic") {
			t.Errorf("%v: %s", value, text)
		}
	}
	cfg := fileConfig(t)
	l := open(t, cfg)
	func() { defer l.LogPanic() }()
	if text := read(t, filepath.Join(cfg.Dir, "agent.log")); text != "" {
		t.Errorf("without a panic: %s", text)
	}
}

// A panic is logged whatever the level, and whether or not there was one like it.
func TestLogPanicAlways(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Level, cfg.Repeat = slog.LevelError+4, time.Hour
	l := open(t, cfg)
	for range 3 {
		func() {
			defer func() { _ = recover() }()
			defer l.LogPanic()
			panic("boom")
		}()
	}
	if got := strings.Count(read(t, filepath.Join(cfg.Dir, "agent.log")), " ERROR panic panic=boom "); got != 3 {
		t.Errorf("%d of 3 panics are logged", got)
	}
}

// Lines that wait are cut into files at the size as others are, and every one comes once.
func TestBufferRotation(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Buffer, cfg.Size, cfg.Rotate = 700, 1000, 1000
	l := open(t, cfg)
	const lines = 500
	for i := range lines {
		l.Logger().Info("line", "n", i)
	}
	l.Flush()
	next := 0
	all := names(t, l)
	for i := range all {
		name := all[len(all)-1-i]
		if st, err := os.Stat(filepath.Join(cfg.Dir, name)); err != nil || st.Size() > 1000 {
			t.Errorf("%s: %d bytes, %v", name, st.Size(), err)
		}
		for _, m := range messages(t, filepath.Join(cfg.Dir, name)) {
			if m != fmt.Sprintf("line n=%d", next) {
				t.Fatalf("%s: %q, want line %d", name, m, next)
			}
			next++
		}
	}
	if next != lines {
		t.Errorf("%d lines, want %d", next, lines)
	}
}
