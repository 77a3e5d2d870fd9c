package process

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

const onWindows = true

// executable returns the path of a program, with the extension that it has.
func executable(path string) (string, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return "", errIsFolder
	}
	names := []string{path}
	if filepath.Ext(path) == "" {
		extensions := os.Getenv("PATHEXT")
		if extensions == "" {
			extensions = ".COM;.EXE;.BAT;.CMD"
		}
		names = nil
		for ext := range strings.SplitSeq(extensions, ";") {
			names = append(names, path+ext)
		}
	}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && !info.IsDir() {
			return name, nil
		}
	}
	return "", ErrNotFound
}

// notExecutable tells errors of CreateProcess that are the file's.
func notExecutable(err error) bool {
	return errors.Is(err, windows.ERROR_BAD_EXE_FORMAT) || errors.Is(err, windows.ERROR_EXE_MACHINE_TYPE_MISMATCH)
}

// awaitExit waits until the command has ended. Its handle keeps its number from being given to another one.
func awaitExit(cmd *exec.Cmd) {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(cmd.Process.Pid))
	if err != nil {
		return // then it has ended
	}
	defer windows.CloseHandle(h)
	_, _ = windows.WaitForSingleObject(h, windows.INFINITE)
}

// interrupt reports that nothing can be asked here.
func interrupt(*exec.Cmd) bool { return false }

// status says how a command has ended.
func status(state *os.ProcessState) (code int64, signal string) {
	return int64(uint32(state.ExitCode())), ""
}

// poll is how often a pipe is looked at: those of Windows have no deadlines.
const poll = 10 * time.Millisecond

// readUntil reads what comes until a time, zero for ever. While exit is watched for, it returns with ErrDeadlineExceeded when
// the command has exited.
func readUntil(src *os.File, buf []byte, until time.Time, watch bool, exited <-chan struct{}) (int, error) {
	for {
		gone := watch && isClosed(exited) // before the look, so that nothing comes between
		n, err := available(src)
		switch {
		case err != nil:
			return 0, io.EOF // nobody has the other end any more
		case n > 0:
			return src.Read(buf[:min(n, len(buf))])
		case gone, !until.IsZero() && !time.Now().Before(until):
			return 0, os.ErrDeadlineExceeded
		}
		time.Sleep(poll)
	}
}

// readNow reads what is there already.
func readNow(src *os.File, buf []byte) int {
	n, err := available(src)
	if err != nil || n == 0 {
		return 0
	}
	n, _ = src.Read(buf[:min(n, len(buf))])
	return n
}

// available is how many bytes are in a pipe.
func available(src *os.File) (int, error) {
	raw, err := src.SyscallConn()
	if err != nil {
		return 0, err
	}
	var n uint32
	var failed error
	err = raw.Control(func(fd uintptr) {
		ok, _, errno := peekNamedPipe().Call(fd, 0, 0, 0, uintptr(unsafe.Pointer(&n)), 0)
		if ok == 0 {
			failed = errno
		}
	})
	return int(n), errors.Join(err, failed)
}

func peekNamedPipe() *windows.LazyProc {
	return windows.NewLazySystemDLL("kernel32.dll").NewProc("PeekNamedPipe")
}

func wake(*os.File) {}

// shell is what takes a command line; prepare gives it to cmd as it is.
func shell(line string) []string { return []string{systemShell(), "/S", "/C", line} }

// systemShell is where cmd is.
func systemShell() string {
	if file := os.Getenv("ComSpec"); filepath.IsAbs(file) {
		return file
	}
	return `C:\Windows\System32\cmd.exe`
}

// prepare makes what is started.
func prepare(c *Command) (*exec.Cmd, *login, error) {
	if c.User != "" || c.Auth != AuthNone {
		return nil, nil, errors.Join(ErrDenied, ErrUnsupported)
	}
	attr := &syscall.SysProcAttr{HideWindow: true, CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	args := c.Args
	if c.Line != "" {
		args = shell(c.Line)
		// cmd has rules of its own: between the first and the last quote it takes all as it is.
		attr.CmdLine = syscall.EscapeArg(args[0]) + ` /S /C "` + c.Line + `"`
	}
	path, err := Find(args[0], c.Dir, pathOf(c.Env))
	if err != nil {
		return nil, nil, err
	}
	if isBatch(path) {
		if attr.CmdLine, err = batchLine(append([]string{path}, args[1:]...)); err != nil {
			return nil, nil, err
		}
		path = systemShell()
	}
	return &exec.Cmd{Path: path, Args: args, Dir: c.Dir, Env: append(os.Environ(), c.Env...), SysProcAttr: attr}, nil, nil
}

// login is how a command becomes another user's, which there is none of here.
type login struct{}
