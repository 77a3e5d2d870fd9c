package secretfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
)

// Of many that make a file one does, and it is its owner's alone.
func TestCreate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a", "b", "secret")
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			switch err := secretfile.Create(file, []byte(strconv.Itoa(i))); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d have made it", won.Load())
	}
	if _, err := secretfile.Read(file, 100); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

// What others could have read is no secret.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := secretfile.Create(file, []byte("12345")); err != nil {
		t.Fatal(err)
	}
	if b, err := secretfile.Read(file, 5); err != nil || string(b) != "12345" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := secretfile.Read(file, 4); err == nil {
		t.Error("more than the limit was read")
	}
	if _, err := secretfile.Read(dir, 4); err == nil {
		t.Error("a folder was read")
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := secretfile.Read(file, 5); err == nil {
			t.Errorf("a file of mode %o was read", mode)
		}
	}
}

// Names are found in folders whatever these are called.
func TestNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "[x")
	if names, err := secretfile.Names(dir, "", ""); err != nil || names != nil {
		t.Errorf("%v, %v", names, err)
	}
	for _, n := range []string{"b.json", "a.json", "a.txt", ".c.json", "x-a.json"} {
		if err := secretfile.Create(filepath.Join(dir, n), nil); err != nil {
			t.Fatal(err)
		}
	}
	names, err := secretfile.Names(dir, "", ".json")
	want := []string{filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json"), filepath.Join(dir, "x-a.json")}
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("%q, %v, want %q", names, err, want)
	}
}
