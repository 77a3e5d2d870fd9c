//go:build unix

package conn

import "golang.org/x/sys/unix"

const canPoll = true

// readable reports whether a read from a socket would not wait. When that cannot be found out, the read will tell.
func readable(fd uintptr) bool {
	fds := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds[:], 0)
	return n > 0 || err != nil
}
