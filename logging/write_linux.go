package logging

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// largeFile lets 32-bit systems open files beyond 2 GiB, which os.Root does not ask for.
const largeFile = unix.O_LARGEFILE

// writeOnce appends p to a file that was opened to append and has size bytes, with one call. It goes past os.File, whose
// locking is not needed by those who have a lock, and with pwrite past the file's offset, which the kernel locks. Linux
// appends whatever the offset; what only behaves like Linux finds the right one.
func writeOnce(fd uintptr, p []byte, size int64) (n int, err error) {
	n, err = syscall.Pwrite(int(fd), p, size)
	return max(n, 0), err
}
