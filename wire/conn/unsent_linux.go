package conn

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unsent is how many bytes the kernel takes beyond those that are on their way. Without a limit it takes megabytes, and
// a frame of the control lane, however soon it is written, leaves the host after them.
const unsent = 128 << 10

// limitUnsent keeps the kernel from taking more than it can send soon. Nothing is lost where that fails but time.
func limitUnsent(c net.Conn) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	if rc, err := s.SyscallConn(); err == nil {
		_ = rc.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, unsent)
		})
	}
}
