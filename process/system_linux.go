package process

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const onWindows = false

// shell is what takes a command line.
func shell(line string) []string { return []string{"/bin/sh", "-c", line} }

// executable returns the path if there is a program that this process may run.
func executable(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", errIsFolder
	}
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS); err != nil && (err == unix.EACCES || info.Mode()&0o111 == 0) {
		return "", unix.EACCES
	}
	return path, nil
}

// notExecutable tells errors of execve that are the file's.
func notExecutable(err error) bool {
	return errors.Is(err, unix.ENOEXEC) || errors.Is(err, unix.ELIBBAD) || errors.Is(err, unix.EISDIR)
}

// awaitExit waits until the command has ended, and leaves its status to be taken: until that is done its number means it and
// nothing else.
func awaitExit(cmd *exec.Cmd) {
	for {
		if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// interrupt asks the command's process group to end. It reports whether that can be asked here at all.
func interrupt(cmd *exec.Cmd) bool {
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGTERM)
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGCONT) // one that is stopped hears it, too
	return true
}

// status says how a command has ended.
func status(state *os.ProcessState) (code int64, signal string) {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		name := unix.SignalName(ws.Signal())
		if name == "" {
			name = ws.Signal().String()
		}
		return -1, name
	}
	return int64(state.ExitCode()), ""
}

// readUntil reads what comes until a time, zero for ever. While exit is watched for, it returns with ErrDeadlineExceeded when
// the command has exited, even if that was before the time was set.
func readUntil(src *os.File, buf []byte, until time.Time, watch bool, exited <-chan struct{}) (int, error) {
	if err := src.SetReadDeadline(until); err != nil {
		return 0, err
	}
	if watch && isClosed(exited) {
		return 0, os.ErrDeadlineExceeded
	}
	return src.Read(buf)
}

// readNow reads what is there already.
func readNow(src *os.File, buf []byte) int {
	raw, err := src.SyscallConn()
	if err != nil || src.SetReadDeadline(time.Time{}) != nil {
		return 0
	}
	n := 0
	_ = raw.Read(func(fd uintptr) bool {
		n, err = unix.Read(int(fd), buf)
		return true
	})
	return max(n, 0)
}

func wake(src *os.File) { _ = src.SetReadDeadline(time.Now()) }
