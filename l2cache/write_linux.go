package l2cache

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// writeAt writes p at an offset. It goes past os.File, whose locking is not needed by those who have the turn.
func writeAt(f *os.File, fd uintptr, p []byte, off int64) (err error) {
	for n := 0; len(p) > 0; p, off = p[n:], off+int64(n) {
		n, err = syscall.Pwrite(int(fd), p, off)
		if n, err = progress(f, n, err); err != nil {
			return err
		}
	}
	return nil
}

// writePartsAt writes the parts one after the other, as one call.
func writePartsAt(f *os.File, fd uintptr, parts [][]byte, off int64) error {
	const most = 1024 // IOV_MAX
	for len(parts) > 0 {
		n, err := unix.Pwritev(int(fd), parts[:min(most, len(parts))], off)
		if n, err = progress(f, n, err); err != nil {
			return err
		}
		off += int64(n)
		for len(parts) > 0 && n >= len(parts[0]) {
			n -= len(parts[0])
			parts = parts[1:]
		}
		if n > 0 { // within a part: the rest of it alone
			if err := writeAt(f, fd, parts[0][n:], off); err != nil {
				return err
			}
			off += int64(len(parts[0]) - n)
			parts = parts[1:]
		}
	}
	return nil
}

// progress is what a write call has done: it is to be made again when it was interrupted.
func progress(f *os.File, n int, err error) (int, error) {
	switch {
	case err == syscall.EINTR:
		return 0, nil
	case err != nil:
		return 0, &os.PathError{Op: "write", Path: f.Name(), Err: err}
	case n == 0:
		return 0, &os.PathError{Op: "write", Path: f.Name(), Err: io.ErrShortWrite}
	}
	return n, nil
}

// syncFile puts what is in a file on the disk, and of its metadata what is needed to find it.
func syncFile(f *os.File, fd uintptr) error {
	for {
		err := syscall.Fdatasync(int(fd))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "sync", Path: f.Name(), Err: err}
		}
		return nil
	}
}
