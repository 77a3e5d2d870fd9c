//go:build unix && !linux

package logging

import "syscall"

// largeFile is a flag that only Linux needs.
const largeFile = 0

// writeOnce appends p to a file that was opened to append, with one call. It goes past os.File, whose locking is not needed
// by those who have a lock.
func writeOnce(fd uintptr, p []byte, _ int64) (n int, err error) {
	n, err = syscall.Write(int(fd), p)
	return max(n, 0), err
}
