package logging_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// compressed waits until what was rotated is compressed, in a bubble.
func compressed() {
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

// Rotated files are compressed, keep their place, time and permissions, and hold the same lines.
func TestCompress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Size, cfg.Rotate, cfg.Compress = 100, 5, true
		l := open(t, cfg)
		pad := strings.Repeat("-", 70)
		before := map[string]time.Time{}
		for i := range 9 {
			l.Logger().Info(fmt.Sprint("line ", i, pad))
			if files, err := l.Files(); err == nil {
				before[fmt.Sprint(i)] = files[0].ModTime
			}
			compressed()
		}
		equal(t, "files", names(t, l), []string{
			"agent.log", "agent.log.1.gz", "agent.log.2.gz", "agent.log.3.gz", "agent.log.4.gz", "agent.log.5.gz",
		})
		files, err := l.Files()
		if err != nil {
			t.Fatal(err)
		}
		for i, f := range files {
			equal(t, f.Name, messages(t, filepath.Join(cfg.Dir, f.Name)), []string{fmt.Sprint("line ", 8-i, pad)})
			if want := before[fmt.Sprint(8-i)]; !f.ModTime.Equal(want) {
				t.Errorf("%s: time %v, want that of its last line, %v", f.Name, f.ModTime, want)
			}
			st, err := os.Stat(filepath.Join(cfg.Dir, f.Name))
			if err != nil || runtime.GOOS != "windows" && st.Mode().Perm()&^0o640 != 0 {
				t.Errorf("%s: %v, %v", f.Name, st.Mode(), err)
			}
		}
	})
}

// What a killed process left half compressed is compressed from the file that is still there.
func TestCompressLeftovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Compress = true
		path := func(name string) string { return filepath.Join(cfg.Dir, name) }
		write(t, path("agent.log.1"), "a")
		write(t, path("agent.log.2"), "b")
		write(t, path("agent.log.2.gz"), "no gzip at all")
		write(t, path("agent.log.gz.tmp"), "of a process that was killed")
		if err := os.Chtimes(path("agent.log.gz.tmp"), time.Time{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		l := open(t, cfg)
		compressed()
		equal(t, "files", names(t, l), []string{"agent.log", "agent.log.1.gz", "agent.log.2.gz"})
		equal(t, "1", messages(t, path("agent.log.1.gz")), []string{"a"})
		equal(t, "2", messages(t, path("agent.log.2.gz")), []string{"b"})
		if _, err := os.Lstat(path("agent.log.gz.tmp")); !os.IsNotExist(err) {
			t.Errorf("temporary file: %v", err)
		}
	})
}

// What a killed process left half compressed goes also when files are not compressed any more, and nothing else does.
func TestLeftoverWithoutCompression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		path := func(name string) string { return filepath.Join(cfg.Dir, name) }
		leftover, foreign := path("agent.log.gz.tmp"), path("agent-2.log.gz.tmp")
		for _, name := range []string{leftover, foreign} {
			write(t, name, "half")
			if err := os.Chtimes(name, time.Time{}, time.Now()); err != nil { // it may be of a process that works
				t.Fatal(err)
			}
		}
		l := open(t, cfg)
		compressed()
		equal(t, "temporary file", messages(t, leftover), []string{"half"})
		time.Sleep(2 * time.Hour)
		compressed()
		if _, err := os.Lstat(leftover); !os.IsNotExist(err) {
			t.Errorf("temporary file after two hours: %v", err)
		}
		equal(t, "another log's", messages(t, foreign), []string{"half"})
		equal(t, "files", names(t, l), []string{"agent.log"})
	})
}

// Another process that compresses the same log at this moment is left alone, and nothing is lost by it.
func TestCompressBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Compress = true
		path := func(name string) string { return filepath.Join(cfg.Dir, name) }
		write(t, path("agent.log.1"), "a")
		write(t, path("agent.log.gz.tmp"), "of a process that works")
		if err := os.Chtimes(path("agent.log.gz.tmp"), time.Time{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		l := open(t, cfg)
		compressed()
		equal(t, "1", messages(t, path("agent.log.1")), []string{"a"})
		equal(t, "temporary file", messages(t, path("agent.log.gz.tmp")), []string{"of a process that works"})
		if l.Err() != nil {
			t.Error(l.Err())
		}
	})
}

// Another process that has not noticed a rotation writes to the rotated file for a while: what it writes is compressed too.
func TestCompressWaits(t *testing.T) {
	notOnWindows(t, "does not rename a file that another process has open")
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.Size, cfg.Compress = 100, true
		l := open(t, cfg)
		other, err := os.OpenFile(filepath.Join(cfg.Dir, "agent.log"), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		pad := strings.Repeat("-", 70)
		l.Logger().Info("a" + pad)
		l.Logger().Info("b" + pad)
		time.Sleep(900 * time.Millisecond)
		if _, err := other.WriteString("2026-11-20 10:00:00.000 INFO late\n"); err != nil {
			t.Fatal(err)
		}
		compressed()
		equal(t, "the rotated file", messages(t, filepath.Join(cfg.Dir, "agent.log.1.gz")), []string{"a" + pad, "late"})
	})
}

// By date too the finished days are compressed, and the day that lines go to is not.
func TestCompressByDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now clock
		now.set(time.Date(2026, 6, 1, 12, 0, 0, 0, time.Local))
		cfg := logging.WithClock(fileConfig(t), now.get)
		cfg.RotateBy, cfg.Compress = logging.RotateByDate, true
		l := open(t, cfg)
		for i := range 3 {
			l.Logger().Info(fmt.Sprint("line ", i))
			now.set(now.get().Add(24 * time.Hour))
		}
		compressed()
		l.Logger().Info("line 3")
		compressed()
		equal(t, "files", names(t, l), []string{
			"agent_20260604.log", "agent_20260603.log.gz", "agent_20260602.log.gz", "agent_20260601.log.gz",
		})
		equal(t, "today", messages(t, filepath.Join(cfg.Dir, "agent_20260604.log")), []string{"line 3"})
	})
}

// A clock without a battery comes back to the same day at each start: the lines of the earlier times stay, each of them compressed.
func TestCompressSameDayAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now clock
		cfg := logging.WithClock(fileConfig(t), now.get)
		cfg.RotateBy, cfg.Compress = logging.RotateByDate, true
		for i, day := range []int{1, 20, 1, 21, 1, 22} {
			now.set(time.Date(2026, 6, day, 12, 0, 0, 0, time.Local))
			l := open(t, cfg)
			l.Logger().Info(fmt.Sprint("line ", i))
			compressed()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		l := open(t, cfg)
		compressed()
		equal(t, "files", names(t, l), []string{
			"agent_20260622.log", "agent_20260621.log.gz", "agent_20260620.log.gz",
			"agent_20260601.log.gz", "agent_20260601.log.1.gz", "agent_20260601.log.2.gz",
		})
		for name, want := range map[string]string{"": "line 4", ".1": "line 2", ".2": "line 0"} {
			name = "agent_20260601.log" + name + ".gz"
			equal(t, name, messages(t, filepath.Join(cfg.Dir, name)), []string{want})
		}
	})
}

// A process that is killed after it has compressed a day, and before it has removed it, leaves both: the day is there once afterwards.
func TestCompressKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := fileConfig(t)
		cfg.RotateBy, cfg.Compress = logging.RotateByDate, true
		path := filepath.Join(cfg.Dir, "agent_19991201.log")
		write(t, path, "a")
		write(t, path+".gz", "the same")
		at := time.Now().Add(-time.Hour)
		for _, name := range []string{path, path + ".gz"} {
			if err := os.Chtimes(name, at, at); err != nil {
				t.Fatal(err)
			}
		}
		l := open(t, cfg)
		compressed()
		if files := names(t, l); len(files) != 2 || files[1] != "agent_19991201.log.gz" {
			t.Errorf("files: %q", files)
		}
		equal(t, "the day", messages(t, path+".gz"), []string{"a"})
	})
}

// Closing does not wait until a large file is compressed, and leaves the file as it was.
func TestCloseStopsCompression(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Compress = true
	path := filepath.Join(cfg.Dir, "agent.log.1")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	const size = 4 << 30 // of zeros: sparse, and some seconds of work
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	f.Close()
	l := open(t, cfg)
	for l.Err() == nil {
		if _, err := os.Lstat(filepath.Join(cfg.Dir, "agent.log.gz.tmp")); err == nil {
			break
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Size() != size {
		t.Errorf("the file: %v, %v", st, err)
	}
	if _, err := os.Lstat(filepath.Join(cfg.Dir, "agent.log.gz.tmp")); !os.IsNotExist(err) {
		t.Errorf("temporary file: %v", err)
	}
}
