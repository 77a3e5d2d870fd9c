package kvconf_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// contains checks what a file holds, and that nothing else is in its folder.
func contains(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || string(got) != want {
		t.Errorf("the file holds %q, %v, want %q", got, err, want)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(name), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWriteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "agent.conf")
	doc := parse(t, "a = 1\n")
	if err := doc.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	contains(t, name, "a = 1\n")
	if err := doc.Set("a", "2"); err != nil {
		t.Fatal(err)
	}
	if err := doc.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	contains(t, name, "a = 2\n")
	if err := kvconf.WriteFile(name, nil); err != nil {
		t.Fatal(err)
	}
	contains(t, name, "")
}

func TestWriteFileInTheWorkingFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	for range 2 {
		if err := kvconf.WriteFile("agent.conf", []byte("a = 1\n")); err != nil {
			t.Fatal(err)
		}
	}
	contains(t, "agent.conf", "a = 1\n")
}

func TestWriteFileErrors(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing", "agent.conf")
	if err := kvconf.WriteFile(missing, nil); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "agent.conf") {
		t.Errorf("a folder that is missing: %v", err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := kvconf.WriteFile(folder, nil); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	if err := kvconf.WriteFile("", nil); err == nil {
		t.Error("a file without a name is written")
	}
}
