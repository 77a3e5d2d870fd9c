package logging_test

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// faulty is a log to a file and to standard output, whose faults are kept.
type faulty struct {
	*logging.Log
	dir, path      string
	stdout, stderr output
}

func openFaulty(t *testing.T, dir string, change func(*logging.Config)) *faulty {
	t.Helper()
	f := &faulty{dir: dir, path: filepath.Join(dir, "agent.log")}
	cfg := logging.Config{
		Target: []string{"stdout", "file"}, Dir: dir, Name: "agent", Stdout: &f.stdout, Stderr: &f.stderr,
	}
	if change != nil {
		change(&cfg)
	}
	f.Log = open(t, cfg)
	return f
}

// later lets the log look at its file again.
func later() { time.Sleep(100 * time.Millisecond) }

// say logs a line and checks that standard output has it, whatever happens to the file.
func (f *faulty) say(t *testing.T, message string) {
	t.Helper()
	f.Logger().Info(message)
	equal(t, "standard output", f.stdout.said(), []string{"INFO " + message})
}

// shows checks that one fault was shown since the last time, once, and that Err says the same.
func (f *faulty) shows(t *testing.T, part string) {
	t.Helper()
	lines := f.stderr.said()
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "ERROR ") || !strings.Contains(lines[0], part) {
		t.Errorf("faults shown: %q, want one with %q", lines, part)
	}
	if err := f.Err(); err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("Err: %v, want %q", err, part)
	}
}

// works checks that no fault was shown since the last time and that there is none.
func (f *faulty) works(t *testing.T) {
	t.Helper()
	if lines := f.stderr.said(); len(lines) > 0 || f.Err() != nil {
		t.Errorf("faults shown: %q, Err: %v", lines, f.Err())
	}
}

// gap is how the line begins that stands where lines are missing.
const gap = " WARN lines of this log are missing here lost="

// recovered checks that a file has the lines after a gap, and nothing that is no line.
func recovered(t *testing.T, path, lost string, after ...string) {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, path), gap+lost+" since=")
	if !ok {
		t.Errorf("no line says that %s lines are missing: %q", lost, read(t, path))
	}
	_, rest, _ = strings.Cut(rest, "\n")
	var got []string
	for line := range strings.Lines(rest) {
		_, message, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " INFO ")
		got = append(got, message)
	}
	equal(t, "after the gap", got, after)
}

// Somebody moves the file, or the folder: lines go to a new one without being told, and none is lost.
func TestMoved(t *testing.T) {
	notOnWindows(t, "moves no folder with open files")
	for _, what := range []string{"file", "folder"} {
		synctest.Test(t, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "logs")
			f := openFaulty(t, dir, nil)
			f.say(t, "a")
			moved := f.path + ".moved"
			if what == "file" {
				rename(t, f.path, moved)
			} else {
				rename(t, dir, dir+".moved")
				moved = filepath.Join(dir+".moved", "agent.log")
			}
			f.say(t, "b") // in time: the log cannot know yet
			later()
			f.say(t, "c")
			equal(t, "moved", messages(t, moved), []string{"a", "b"})
			equal(t, "new", messages(t, f.path), []string{"c"})
			f.works(t)
		})
	}
}

// After Reopen the very next line goes to the file of the log's name.
func TestReopen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, t.TempDir(), func(cfg *logging.Config) { cfg.Buffer = 1000 })
		f.say(t, "a")
		rename(t, f.path, f.path+".moved")
		if err := f.Reopen(); err != nil {
			t.Fatal(err)
		}
		f.say(t, "b")
		f.Flush()
		equal(t, "moved", messages(t, f.path+".moved"), []string{"a"})
		equal(t, "new", messages(t, f.path), []string{"b"})
		f.works(t)
	})
}

// Somebody removes the file, or the folder with everything in it: they are made again.
func TestRemoved(t *testing.T) {
	notOnWindows(t, "keeps the name of an open file")
	for _, what := range []string{"file", "folder"} {
		synctest.Test(t, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "logs")
			f := openFaulty(t, dir, nil)
			f.say(t, "a")
			if what == "file" {
				remove(t, f.path)
			} else {
				remove(t, dir)
			}
			later()
			f.say(t, "b")
			equal(t, "new", messages(t, f.path), []string{"b"})
			f.works(t)
		})
	}
}

// Somebody empties the file, as logrotate's copytruncate does: lines go on at its beginning, and its size counts from there.
func TestTruncated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, t.TempDir(), func(cfg *logging.Config) { cfg.Size = 100 })
		f.say(t, "a"+strings.Repeat("-", 60))
		if err := os.Truncate(f.path, 0); err != nil {
			t.Fatal(err)
		}
		later()
		f.say(t, "b"+strings.Repeat("-", 60))
		equal(t, "files", names(t, f.Log), []string{"agent.log"})
		equal(t, "file", messages(t, f.path), []string{"b" + strings.Repeat("-", 60)})
	})
}

// The file is replaced by what could lead anywhere or stop the program. It is shown once, nothing is written to it, and when
// it is gone the file is there again and says what is missing.
func TestReplaced(t *testing.T) {
	notOnWindows(t, "keeps the name of an open file")
	for what, replace := range map[string]func(t *testing.T, path string){
		"symbolic link": func(t *testing.T, path string) { symlink(t, path+".target", path) },
		"FIFO":          mkfifo,
		"folder": func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := openFaulty(t, t.TempDir(), nil)
				write(t, f.path+".target", "somebody's")
				f.say(t, "a")
				remove(t, f.path)
				replace(t, f.path)
				later()
				f.say(t, "b")
				f.say(t, "c")
				later()
				f.say(t, "d")
				f.shows(t, "is not a regular file")
				remove(t, f.path)
				later()
				f.say(t, "e")
				f.say(t, "f")
				f.works(t)
				recovered(t, f.path, "3", "e", "f")
				equal(t, "target", messages(t, f.path+".target"), []string{"somebody's"})
				if s := f.Stats(); s.Lost != 3 || s.Faults != 2 {
					t.Errorf("%+v, want 3 lines lost and 2 faults", s)
				}
			})
		})
	}
}

// The file was moved, and its place is taken by what cannot be written: the lines go on to where they went.
func TestMovedAndReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, t.TempDir(), nil)
		f.say(t, "a")
		rename(t, f.path, f.path+".moved")
		if err := os.Mkdir(f.path, 0o700); err != nil {
			t.Fatal(err)
		}
		later()
		f.say(t, "b")
		later()
		f.say(t, "c")
		f.shows(t, "is not a regular file")
		remove(t, f.path)
		later()
		f.say(t, "d")
		equal(t, "moved", messages(t, f.path+".moved"), []string{"a", "b", "c"})
		equal(t, "new", messages(t, f.path), []string{"d"})
		f.works(t)
		if s := f.Stats(); s.Lost != 0 {
			t.Errorf("%d lines lost", s.Lost)
		}
	})
}

// A folder that cannot be made does not stop the program, and when it can be, the log is there.
func TestNoFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "in the way", "logs")
		write(t, filepath.Dir(dir), "a file")
		f := openFaulty(t, dir, nil)
		f.say(t, "a")
		f.shows(t, "in the way")
		if files, err := f.Files(); len(files) > 0 {
			t.Errorf("files: %v, %v", files, err)
		}
		if err := f.Reopen(); err == nil {
			t.Error("Reopen says nothing")
		}
		remove(t, filepath.Dir(dir))
		later()
		f.say(t, "b")
		recovered(t, f.path, "1", "b")
		f.works(t)
	})
}

// A fault that comes and goes is not shown each time, and one that differs is.
func TestFlapping(t *testing.T) {
	notOnWindows(t, "keeps the name of an open file")
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, t.TempDir(), nil)
		for range 10 {
			remove(t, f.path)
			if err := os.Mkdir(f.path, 0o700); err != nil {
				t.Fatal(err)
			}
			later()
			f.say(t, "lost")
			remove(t, f.path)
			later()
			f.say(t, "written")
		}
		if shown := f.stderr.said(); len(shown) != 1 {
			t.Errorf("shown %d times: %q", len(shown), shown)
		}
		if s := f.Stats(); s.Faults != 10 || s.Lost != 10 {
			t.Errorf("%+v, want 10 faults and 10 lines lost", s)
		}
		time.Sleep(time.Minute)
		remove(t, f.path)
		if err := os.Mkdir(f.path, 0o700); err != nil {
			t.Fatal(err)
		}
		later()
		f.say(t, "lost")
		f.shows(t, "is not a regular file")
		remove(t, f.path)
	})
}

// What waits in the buffer when a fault begins is written when it ends; what came when the buffer was full is missing.
func TestBufferFault(t *testing.T) {
	notOnWindows(t, "keeps the name of an open file")
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, t.TempDir(), func(cfg *logging.Config) { cfg.Buffer, cfg.Flush = 200, time.Hour })
		remove(t, f.path)
		if err := os.Mkdir(f.path, 0o700); err != nil {
			t.Fatal(err)
		}
		later()
		pad := strings.Repeat("-", 60)
		for _, m := range []string{"a", "b", "c", "d"} { // two lines have room
			f.say(t, m+pad)
		}
		f.shows(t, "is not a regular file")
		remove(t, f.path)
		later()
		f.say(t, "e"+pad)
		f.Flush()
		text := read(t, f.path)
		var order []string
		for line := range strings.Lines(text) {
			if strings.Contains(line, gap+"2 since=") {
				order = append(order, "gap")
			} else if _, message, ok := strings.Cut(line, " INFO "); ok {
				order = append(order, message[:1])
			}
		}
		equal(t, "lines", order, []string{"a", "b", "gap", "e"})
	})
}

// When a fault ends, what waits in the buffer is written after Flush, whether another line comes or not.
func TestBufferFaultEnds(t *testing.T) {
	notOnWindows(t, "keeps the name of an open file")
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, t.TempDir(), func(cfg *logging.Config) { cfg.Buffer, cfg.Flush = 1<<20, time.Second })
		remove(t, f.path)
		if err := os.Mkdir(f.path, 0o700); err != nil {
			t.Fatal(err)
		}
		later()
		f.say(t, "a")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		f.shows(t, "is not a regular file")
		remove(t, f.path)
		f.say(t, "b")
		time.Sleep(time.Second)
		synctest.Wait()
		equal(t, "the file", messages(t, f.path), []string{"a", "b"})
	})
}

// broken is a standard output that fails when it is told to.
type broken struct {
	output
	err error
}

func (b *broken) Write(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	return b.output.Write(p)
}

// Standard output breaks: the file has every line, and standard output says what is missing when it works again.
func TestStdoutFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &broken{err: os.ErrClosed}
		f := openFaulty(t, t.TempDir(), func(cfg *logging.Config) { cfg.Stdout = out })
		f.Logger().Info("a")
		f.Logger().Info("b")
		f.shows(t, "standard output")
		out.err = nil
		f.Logger().Info("c") // too early for another try
		later()
		f.Logger().Info("d")
		equal(t, "file", messages(t, f.path), []string{"a", "b", "c", "d"})
		lines := out.said()
		if len(lines) != 2 || !strings.HasPrefix(lines[0], gap[1:]+"3 ") || lines[1] != "INFO d" {
			t.Errorf("standard output: %q", lines)
		}
		f.works(t)
	})
}

// notOnWindows skips a test of what that system does not let happen.
func notOnWindows(t *testing.T, because string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows " + because)
	}
}

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Skip(err)
	}
}

// Somebody has put a full file in the place of the log's, which waits for a rotation with lines in the buffer.
func TestBufferMovedFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, t.TempDir(), func(cfg *logging.Config) { cfg.Buffer, cfg.Size, cfg.Rotate = 1000, 200, 100 })
		pad := strings.Repeat("-", 60)
		f.say(t, "a"+pad)
		f.Flush()
		// Two numbers are taken by what no rename removes, so that the rotation fails.
		if err := os.MkdirAll(f.path+".0/x", 0o700); err != nil {
			t.Fatal(err)
		}
		for _, m := range []string{"b", "c", "d", "e"} {
			f.say(t, m+pad)
		}
		f.shows(t, "rotating the file")
		rename(t, f.path, f.path+".moved")
		write(t, f.path, strings.Repeat("x", 300))
		later()
		f.say(t, "f"+pad)
		f.Flush()
		remove(t, f.path+".0")
		later()
		f.say(t, "g"+pad)
		f.Flush()
		f.works(t)
		var all []string
		for _, name := range append([]string{"agent.log.moved"}, names(t, f.Log)...) {
			for _, m := range messages(t, filepath.Join(f.dir, name)) {
				all = append(all, m[:1])
			}
		}
		slices.Sort(all)
		equal(t, "lines", all, []string{"a", "b", "c", "d", "e", "f", "g", "x"})
	})
}
