package logging_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/logging"
	"golang.org/x/sys/unix"
)

// tmpfs mounts a file system with the options on a new folder.
func tmpfs(t *testing.T, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all the room that is left on a disk, and returns the file that has it.
func fill(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			return path
		}
	}
}

// The disk is full: standard output has every line, the fault is shown once, and when there is room again the file goes on
// by itself. No half line is in it, and what it lacks is counted.
func TestDiskFull(t *testing.T) {
	for _, buffer := range []int64{0, 3000} {
		t.Run(fmt.Sprint("buffer ", buffer), func(t *testing.T) {
			dir := tmpfs(t, "size=256k")
			synctest.Test(t, func(t *testing.T) {
				f := openFaulty(t, dir, func(cfg *logging.Config) { cfg.Buffer = buffer })
				filler := fill(t, dir)
				if err := os.Truncate(filler, 200<<10); err != nil { // some lines have room
					t.Fatal(err)
				}
				const lines = 400
				line := func(i int) string { return fmt.Sprintf("line %03d %s", i, strings.Repeat("x", 150)) }
				for i := range lines {
					f.say(t, line(i))
					if i%50 == 49 {
						later()
					}
				}
				f.shows(t, "no space left on device")
				remove(t, filler)
				later()
				f.say(t, "room")
				f.Flush()
				f.works(t)

				var kept, marked int
				text := read(t, f.path)
				for l := range strings.Lines(text) {
					var i, n int
					switch _, message, _ := strings.Cut(l, " INFO "); {
					case strings.Contains(l, gap):
						fmt.Sscanf(l[strings.Index(l, "lost="):], "lost=%d", &n)
						marked += n
					case strings.HasPrefix(message, "line "):
						if fmt.Sscanf(message, "line %03d", &i); message != line(i)+"\n" {
							t.Errorf("half a line: %q", l)
						}
						kept++
					case message != "room\n":
						t.Errorf("no line: %q", l)
					}
				}
				s := f.Stats()
				if kept+marked != lines || uint64(marked) != s.Lost || marked == 0 || !strings.HasSuffix(text, " INFO room\n") {
					t.Errorf("%d lines in the file, %d marked as missing, %+v, the end %q", kept, marked, s, text[max(0, len(text)-80):])
				}
			})
		})
	}
}

// There is no inode for a new file in the middle of a rotation: lines go on into the old one, and it is rotated later.
func TestInodesUsedUp(t *testing.T) {
	dir := tmpfs(t, "size=1m,nr_inodes=4")
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, dir, func(cfg *logging.Config) { cfg.Size = 100 })
		for i := range 2 {
			write(t, filepath.Join(dir, fmt.Sprint("other", i)), "x")
		}
		pad := strings.Repeat("-", 60)
		f.say(t, "a"+pad)
		f.say(t, "b"+pad)
		f.say(t, "c"+pad)
		later()
		f.say(t, "d"+pad)
		f.shows(t, "no space left on device")
		equal(t, "files", names(t, f.Log), []string{"agent.log"})
		remove(t, filepath.Join(dir, "other0"))
		later()
		f.say(t, "e"+pad)
		f.works(t)
		equal(t, "files", names(t, f.Log), []string{"agent.log", "agent.log.1"})
		equal(t, "1", messages(t, f.path+".1"), []string{"a" + pad, "b" + pad, "c" + pad, "d" + pad})
		equal(t, "current", messages(t, f.path), []string{"e" + pad})
		if s := f.Stats(); s.Lost != 0 || s.Rotations != 1 {
			t.Errorf("%+v, want no line lost and one rotation", s)
		}
	})
}

// A disk that is read-only at the start becomes writable.
func TestReadOnly(t *testing.T) {
	dir := tmpfs(t, "size=1m")
	remount := func(flags uintptr) {
		if err := unix.Mount("", dir, "", unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(unix.MS_RDONLY)
	synctest.Test(t, func(t *testing.T) {
		f := openFaulty(t, dir, nil)
		f.say(t, "a")
		later()
		f.say(t, "b")
		f.shows(t, "read-only file system")
		remount(0)
		later()
		f.say(t, "c")
		recovered(t, f.path, "2", "c")
		f.works(t)
	})
}

// asNobody runs the rest of the test with the rights of an ordinary user on files. The folder becomes his.
func asNobody(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine of the test
	if err := unix.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Setfsuid(0) })
}

// The permission to write is taken away while the log is open: lines go on, only the rotation waits until it is back.
func TestPermissionTaken(t *testing.T) {
	dir := tmpfs(t, "size=1m,mode=755")
	synctest.Test(t, func(t *testing.T) {
		asNobody(t, dir)
		f := openFaulty(t, dir, func(cfg *logging.Config) { cfg.Size = 100 })
		chmod := func(mode os.FileMode) {
			if err := os.Chmod(dir, mode); err != nil {
				t.Fatal(err)
			}
		}
		pad := strings.Repeat("-", 60)
		f.say(t, "a"+pad)
		for _, mode := range []os.FileMode{0o500, 0} {
			chmod(mode)
			later()
			f.say(t, "b"+pad)
			later()
			f.say(t, "c"+pad)
		}
		if lines := f.stderr.said(); len(lines) != 1 || !strings.Contains(lines[0], "permission denied") || f.Err() == nil {
			t.Errorf("faults shown: %q, Err: %v", lines, f.Err())
		}
		chmod(0o755)
		later()
		f.say(t, "d")
		f.works(t)
		equal(t, "files", names(t, f.Log), []string{"agent.log", "agent.log.1"})
		equal(t, "current", messages(t, f.path), []string{"d"})
		if s := f.Stats(); s.Lost != 0 {
			t.Errorf("%d lines lost", s.Lost)
		}
	})
}

// A file that belongs to somebody else, as after a start by root, is a fault until it is given back.
func TestUnwritableFile(t *testing.T) {
	dir := tmpfs(t, "size=1m,mode=755")
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(dir, "agent.log")
		write(t, path, "by root")
		if err := os.Chmod(path, 0o400); err != nil {
			t.Fatal(err)
		}
		asNobody(t, dir)
		f := openFaulty(t, dir, nil)
		f.say(t, "a")
		f.shows(t, "permission denied")
		remove(t, path)
		later()
		f.say(t, "b")
		recovered(t, f.path, "1", "b")
		f.works(t)
	})
}

// systemChildren are the programs that only this system has a test for.
func systemChildren() map[string]func(dir string) {
	return map[string]func(dir string){"limit": childLimit}
}

// childLimit logs to a file that the system does not let grow, until the limit is raised.
func childLimit(dir string) {
	raise := func(bytes uint64) {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: bytes, Max: unix.RLIM_INFINITY}); err != nil {
			panic(err)
		}
	}
	raise(1000)
	l := must(logging.Open(logging.Config{Target: []string{"file"}, Dir: dir, Name: "agent"}))
	for i := range 30 {
		l.Logger().Info("line", "n", i)
	}
	raise(unix.RLIM_INFINITY)
	for l.Err() != nil {
		l.Logger().Info("again")
	}
	l.Logger().Info("end")
	must(0, l.Close())
}

// A write fails in the middle of a line: the half of it is gone from the file, and the next write that succeeds says what
// is missing.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "limit", dir).CombinedOutput()
	if err != nil || strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "file too large") {
		t.Errorf("%v, %q, want one fault", err, out)
	}
	var lost, again, kept int
	for line := range strings.Lines(read(t, filepath.Join(dir, "agent.log"))) {
		switch _, message, _ := strings.Cut(line, " INFO "); {
		case strings.Contains(line, gap):
			if _, err := fmt.Sscanf(line[strings.Index(line, "lost="):], "lost=%d", &lost); err != nil {
				t.Error(err)
			}
		case message == fmt.Sprintf("line n=%d\n", kept):
			kept++
		case message == "again\n":
			again++
		case message != "end\n":
			t.Errorf("not a whole line: %q", line)
		}
	}
	if kept == 0 || kept >= 30 || lost < 30-kept || again != 1 {
		t.Errorf("%d of 30 lines kept, %d lost, %d after that", kept, lost, again)
	}
}
