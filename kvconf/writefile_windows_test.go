package kvconf_test

import (
	"bytes"
	"path/filepath"
	"syscall"
	"testing"
	"unsafe"

	"github.com/jkstack/jkframe/v2/kvconf"
)

const daclSecurity = 4

// dacl gives the access list of a file.
func dacl(t *testing.T, name string) []byte {
	t.Helper()
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]byte, 4096)
	var size uint32
	get := syscall.NewLazyDLL("advapi32.dll").NewProc("GetFileSecurityW")
	if ok, _, err := get.Call(uintptr(unsafe.Pointer(path)), daclSecurity, uintptr(unsafe.Pointer(&list[0])), uintptr(len(list)),
		uintptr(unsafe.Pointer(&size))); ok == 0 {
		t.Fatal(err)
	}
	return list[:size]
}

// restrict lets only administrators and the owner read a file.
func restrict(t *testing.T, name string) {
	t.Helper()
	advapi32 := syscall.NewLazyDLL("advapi32.dll")
	convert := advapi32.NewProc("ConvertStringSecurityDescriptorToSecurityDescriptorW")
	text, err := syscall.UTF16PtrFromString("D:P(A;;FA;;;BA)(A;;FA;;;OW)")
	if err != nil {
		t.Fatal(err)
	}
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		t.Fatal(err)
	}
	var descriptor uintptr
	if ok, _, err := convert.Call(uintptr(unsafe.Pointer(text)), 1, uintptr(unsafe.Pointer(&descriptor)), 0); ok == 0 {
		t.Fatal(err)
	}
	if ok, _, err := advapi32.NewProc("SetFileSecurityW").Call(uintptr(unsafe.Pointer(path)), daclSecurity, descriptor); ok == 0 {
		t.Fatal(err)
	}
}

// Who may read a file may read it afterwards, and nobody else.
func TestWriteFileKeepsAccessList(t *testing.T) {
	dir := t.TempDir()
	name, other := filepath.Join(dir, "agent.conf"), filepath.Join(dir, "other.conf")
	write(t, name, "old")
	write(t, other, "old")
	restrict(t, name)
	before := dacl(t, name)
	if bytes.Equal(before, dacl(t, other)) {
		t.Fatal("the access list is not one of its own")
	}
	if err := kvconf.WriteFile(name, []byte("new")); err != nil {
		t.Fatal(err)
	}
	contains(t, name, "new")
	if after := dacl(t, name); !bytes.Equal(after, before) {
		t.Errorf("the access list was %x and is %x", before, after)
	}
}
