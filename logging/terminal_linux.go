package logging

import (
	"os"

	"golang.org/x/sys/unix"
)

func isTerminal(f *os.File) (terminal bool) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	conn.Control(func(fd uintptr) {
		_, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		terminal = err == nil
	})
	return terminal
}
