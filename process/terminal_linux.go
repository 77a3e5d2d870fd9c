package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// openTerminal makes a terminal; a plain one changes nothing of what is written to it.
func openTerminal(s Size, plain bool) (*ends, error) {
	opened, tty, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	defer opened.Close()
	master, err := pollable(opened)
	if err == nil {
		err = resize(master, s)
	}
	if err == nil && plain {
		err = change(master, func(t *unix.Termios) { t.Oflag &^= unix.OPOST })
	}
	if err != nil {
		_ = tty.Close()
		return nil, fmt.Errorf("open a terminal: %w", err)
	}
	return &ends{output: master, input: master, terminal: master, child: []*os.File{tty, tty, tty}}, nil
}

// pollable gives a file whose reads can be woken, which one is not any more whose descriptor somebody has asked for.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// resize sets the size of a terminal; what runs on it is told by the system.
func resize(terminal *os.File, s Size) error {
	raw, err := terminal.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: s.Rows, Col: s.Cols})
	})
	if err == nil {
		err = os.NewSyscallError("ioctl", failed)
	}
	return err
}

// echoes says whether what is typed on a terminal is shown.
func echoes(terminal *os.File) bool {
	raw, err := terminal.SyscallConn()
	if err != nil {
		return true
	}
	shown := true
	_ = raw.Control(func(fd uintptr) {
		if t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS); err == nil {
			shown = t.Lflag&unix.ECHO != 0
		}
	})
	return shown
}

// hideInput has a terminal not show what is typed.
func hideInput(terminal *os.File) error {
	return change(terminal, func(t *unix.Termios) { t.Lflag &^= unix.ECHO })
}

// change changes the settings of a terminal.
func change(terminal *os.File, how func(*unix.Termios)) error {
	raw, err := terminal.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err == nil {
			how(t)
			err = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
		}
		failed = os.NewSyscallError("ioctl", err)
	})
	return errors.Join(err, failed)
}

// controlTerminal makes the command's terminal the one of its session.
func controlTerminal(cmd *exec.Cmd) { cmd.SysProcAttr.Setctty = true }
