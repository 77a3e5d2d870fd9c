package kvconf

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// What GetFileSecurity and SetFileSecurity call the parts of a security descriptor.
const (
	ownerSecurity = 1
	groupSecurity = 2
	daclSecurity  = 4
)

// keepAttributes gives f the access list of the file name, which it is to replace, and where the process may do so the owner and
// the group. It runs while f is open, before its content can be read under its final name.
func keepAttributes(f *os.File, name string, _ fs.FileInfo) error {
	from, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	to, err := syscall.UTF16PtrFromString(f.Name())
	if err != nil {
		return err
	}
	advapi32 := syscall.NewLazyDLL("advapi32.dll")
	get, set := advapi32.NewProc("GetFileSecurityW"), advapi32.NewProc("SetFileSecurityW")
	for _, part := range [...]uintptr{ownerSecurity | groupSecurity, daclSecurity} {
		err := copySecurity(get, set, from, to, part)
		if err != nil && part == daclSecurity && !errors.Is(err, errors.ErrUnsupported) {
			return os.NewSyscallError("SetFileSecurity", err)
		}
	}
	return nil
}

// copySecurity copies one part of the security descriptor of a file to another.
func copySecurity(get, set *syscall.LazyProc, from, to *uint16, part uintptr) error {
	var size uint32
	descriptor := make([]byte, 1)
	for {
		ok, _, err := get.Call(uintptr(unsafe.Pointer(from)), part, uintptr(unsafe.Pointer(&descriptor[0])),
			uintptr(len(descriptor)), uintptr(unsafe.Pointer(&size)))
		if ok != 0 {
			break
		}
		if err != syscall.ERROR_INSUFFICIENT_BUFFER || int(size) <= len(descriptor) {
			return err
		}
		descriptor = make([]byte, size)
	}
	if ok, _, err := set.Call(uintptr(unsafe.Pointer(to)), part, uintptr(unsafe.Pointer(&descriptor[0]))); ok == 0 {
		return err
	}
	return nil
}

// replaceFile puts the file from in the place of the file to. Virus scanners and indexers open files for a moment and so keep
// them from being replaced, hence it tries for a second.
func replaceFile(from, to string) error {
	const sharingViolation = syscall.Errno(32)
	for wait := time.Millisecond; ; wait *= 2 {
		err := os.Rename(from, to)
		if err == nil || wait > 512*time.Millisecond {
			return err
		}
		if !errors.Is(err, syscall.ERROR_ACCESS_DENIED) && !errors.Is(err, sharingViolation) {
			return err
		}
		time.Sleep(wait)
	}
}

// syncFolder does nothing: NTFS writes names through its journal.
func syncFolder(string) error { return nil }
