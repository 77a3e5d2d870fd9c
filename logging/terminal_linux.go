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
	_ = conn.Control(func(fd uintptr) { // it fails when the file is closed, which is no terminal
		_, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		terminal = err == nil
	})
	return terminal
}
