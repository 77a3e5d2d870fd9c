package l2cache

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile takes a lock that ends with the process at the latest.
func lockFile(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0,
		new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return ErrLocked
	}
	return err
}

// syncDir does nothing: names are durable with the metadata journal of NTFS.
func syncDir(*os.File) error { return nil }

func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

// linked tells whether a file still has a name, and how long it is.
func linked(f *os.File) (named bool, size int64, err error) {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return false, 0, os.NewSyscallError("GetFileInformationByHandle", err)
	}
	return info.NumberOfLinks > 0, int64(info.FileSizeHigh)<<32 | int64(info.FileSizeLow), nil
}
