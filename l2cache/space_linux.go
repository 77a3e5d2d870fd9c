package l2cache

import (
	"os"

	"golang.org/x/sys/unix"
)

// allocate gives a file n bytes more behind its size. It returns false when the system does not.
func allocate(fd uintptr, size, n int64) bool {
	for {
		if err := unix.Fallocate(int(fd), 0, size, n); err != unix.EINTR {
			return err == nil
		}
	}
}

// punch gives the space of a part of a file back. A file system that cannot do so keeps it until the file ends before it.
func punch(f *os.File, off, size int64) {
	_ = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, size)
}
