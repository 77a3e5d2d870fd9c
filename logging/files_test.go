package logging_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/logging"
)

// What Files lists can be opened by its name, and is what it says.
func TestFiles(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Size = 100
	l := open(t, cfg)
	for _, m := range []string{"a", "b", "c"} {
		l.Logger().Info(m + strings.Repeat("-", 60))
	}
	files, err := l.Files()
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for i, file := range files {
		f, err := l.OpenFile(file.Name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		f.Close()
		if err != nil || int64(len(text)) != file.Size || !strings.Contains(string(text), " INFO "+"cba"[i:i+1]+"---") {
			t.Errorf("%+v: %q, %v", file, text, err)
		}
		if st, err := os.Stat(filepath.Join(cfg.Dir, file.Name)); err != nil || !st.ModTime().Equal(file.ModTime) {
			t.Errorf("%+v: %v, %v", file, st.ModTime(), err)
		}
	}
}

// Nobody reads a file that is not the log's own through it, whatever name he sends.
func TestOpenFileRefuses(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Dir = filepath.Join(cfg.Dir, "logs")
	l := open(t, cfg)
	secret := filepath.Join(filepath.Dir(cfg.Dir), "agent.conf")
	write(t, secret, "secret")
	write(t, filepath.Join(cfg.Dir, "other.log"), "secret")
	symlink(t, secret, filepath.Join(cfg.Dir, "agent.log.1"))
	symlink(t, "other.log", filepath.Join(cfg.Dir, "agent.log.2"))
	if err := os.Mkdir(filepath.Join(cfg.Dir, "agent.log.3"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"../agent.conf", secret, "other.log", "agent.log.1", "agent.log.2", "agent.log.3", "agent.log.4", "", ".", "..",
		"agent.log/", "./agent.log", "agent.log\x00", "x/../agent.log",
	} {
		if f, err := l.OpenFile(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v, %v", name, f, err)
		}
	}
	equal(t, "files", names(t, l), []string{"agent.log"})
}

// A log without files has none.
func TestFilesWithoutTarget(t *testing.T) {
	l := open(t, logging.Config{Stdout: io.Discard})
	if files, err := l.Files(); len(files) > 0 || err != nil {
		t.Errorf("%v, %v", files, err)
	}
	if _, err := l.OpenFile("agent.log"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := l.Reopen(); err != nil {
		t.Error(err)
	}
	l.Flush()
}

// The defaults are as documented: a folder in the working directory, files named as the program.
func TestDefaults(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	l := open(t, logging.Config{Target: []string{"file"}})
	t.Chdir(t.TempDir()) // a program may change it later
	l.Logger().Info("a")
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe") + ".log"
	equal(t, "file", messages(t, filepath.Join(dir, "logs", name)), []string{"a"})
	equal(t, "files", names(t, l), []string{name})
}

// A file that an operator reads keeps its lines while rotations rename and remove it.
func TestOpenFileStays(t *testing.T) {
	notOnWindows(t, "keeps the name of an open file")
	cfg := fileConfig(t)
	cfg.Size, cfg.Rotate = 100, 1
	l := open(t, cfg)
	pad := strings.Repeat("-", 60)
	l.Logger().Info("a" + pad)
	f, err := l.OpenFile("agent.log")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 10 {
		l.Logger().Info("b" + pad)
	}
	text, err := io.ReadAll(f)
	if err != nil || !strings.HasSuffix(string(text), " INFO a"+pad+"\n") {
		t.Errorf("%q, %v", text, err)
	}
}
