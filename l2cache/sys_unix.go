//go:build unix

package l2cache

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// lockFile takes a lock that ends with the process at the latest.
func lockFile(f *os.File) error {
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return ErrLocked
		default:
			return err
		}
	}
}

func syncDir(f *os.File) error {
	err := f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // a file system that has nothing to sync there
	}
	return err
}

func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }

// linked tells whether a file still has a name, and how long it is.
func linked(f *os.File) (named bool, size int64, err error) {
	st, err := f.Stat()
	if err != nil {
		return false, 0, err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	return !ok || sys.Nlink > 0, st.Size(), nil
}
