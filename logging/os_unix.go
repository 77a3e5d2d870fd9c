//go:build unix

package logging

import (
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// closeToRename says whether a file must be closed before it can be renamed.
const closeToRename = false

// noBlock keeps a FIFO from stopping the program when it is opened.
const noBlock = unix.O_NONBLOCK

// readFlags open a file for reading.
const readFlags = os.O_RDONLY | noBlock | largeFile

// openAppend opens a file to append to, and makes it when it is missing. It does not follow a symbolic link and does not
// wait for the reader of a FIFO.
func openAppend(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|noBlock, fileMode)
	if err != nil {
		if st, lerr := os.Lstat(path); lerr == nil && !st.Mode().IsRegular() {
			err = &fs.PathError{Op: "open", Path: path, Err: errIrregular}
		}
		return nil, err
	}
	return f, nil
}

// interrupted tells whether a call that failed is to be made again.
func interrupted(err error) bool { return err == syscall.EINTR }

// linked tells whether a file has a name in some folder: nothing that is written to it can be found otherwise.
func linked(f *os.File) bool {
	st, err := f.Stat()
	if err != nil {
		return false
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	return !ok || sys.Nlink > 0
}

// ownStream returns a file of its own for standard output and standard error: a broken pipe is an error there, whereas a
// write to os.Stdout or os.Stderr itself ends the program. It returns nil for anything else.
func ownStream(w io.Writer) (own *os.File) {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return nil
	}
	_ = conn.Control(func(fd uintptr) { // it fails when the file is closed
		if fd != 1 && fd != 2 {
			return
		}
		if dup, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3); err == nil {
			own = os.NewFile(uintptr(dup), f.Name())
		}
	})
	return own
}
