package kvconf_test

import (
	"bytes"
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

// Extended attributes go with the file: labels, and who else may read it.
func TestWriteFileKeepsExtendedAttributes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "agent.conf")
	write(t, name, "old")
	large := bytes.Repeat([]byte("x"), 2000)
	// An access list of version 2: the owner and the group of the file, the user 12345 who may read, the mask, others.
	list := []byte{
		2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0x39, 0x30, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255,
		16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
	}
	attributes := map[string][]byte{"user.label": []byte("x"), "user.empty": nil, "user.large": large, "system.posix_acl_access": list}
	for attribute, value := range attributes {
		err := syscall.Setxattr(name, attribute, value, 0)
		if errors.Is(err, syscall.ENOTSUP) {
			t.Logf("this file system has no %s", attribute)
			delete(attributes, attribute)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if len(attributes) == 0 {
		t.Skip("this file system has no extended attributes")
	}
	before, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := kvconf.WriteFile(name, []byte("new")); err != nil {
		t.Fatal(err)
	}
	contains(t, name, "new")
	for attribute, value := range attributes {
		got := make([]byte, 4096)
		n, err := syscall.Getxattr(name, attribute, got)
		if err != nil || !bytes.Equal(got[:n], value) {
			t.Errorf("%s was %x and is %x, %v", attribute, value, got[:max(n, 0)], err)
		}
	}
	if after, err := os.Stat(name); err != nil || after.Mode() != before.Mode() {
		t.Errorf("the mode was %v and is %v, %v", before.Mode(), after.Mode(), err)
	}
}
