package load

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// portLater has the kernel choose the port when it knows where the connection goes: one port serves several servers then.
func portLater(_, _ string, c syscall.RawConn) error {
	var failed error
	if err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	}); err != nil {
		return err
	}
	return failed
}
