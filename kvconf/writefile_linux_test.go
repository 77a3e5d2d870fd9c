package kvconf_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// asNobody runs job with the rights of a user who owns nothing.
func asNobody(t *testing.T, job func()) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root to become somebody else")
	}
	const nobody = 65534
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // the thread ends with the goroutine, and its rights with it
		syscall.RawSyscall(syscall.SYS_SETFSGID, nobody, 0, 0)
		syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		job()
	}()
	<-done
}

// A file that the process may not write is not replaced, although its folder would let it, nor is one whose owner it cannot keep.
func TestWriteFileRespectsRights(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o644, 0o666} {
		name := filepath.Join(dir, "agent.conf")
		write(t, name, "old")
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		asNobody(t, func() {
			if err := kvconf.WriteFile(name, []byte("new")); !errors.Is(err, fs.ErrPermission) {
				t.Errorf("mode %v: %v", mode, err)
			}
		})
		contains(t, name, "old")
	}
	asNobody(t, func() {
		name := filepath.Join(dir, "own.conf")
		for range 2 {
			if err := kvconf.WriteFile(name, []byte("new")); err != nil {
				t.Errorf("a file of one's own: %v", err)
			}
		}
		contains(t, name, "new")
	})
}
