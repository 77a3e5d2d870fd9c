package logging

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// closeToRename says whether a file must be closed before it can be renamed.
const closeToRename = true

// readFlags open a file for reading.
const readFlags = os.O_RDONLY

// openAppend opens a file to append to, and makes it when it is missing. A file that is opened through os.Root can be
// renamed and removed by others meanwhile, as those who move logs expect.
func openAppend(path string) (*os.File, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.Base(path)
	if st, err := root.Lstat(name); err == nil && !st.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errIrregular}
	}
	return root.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE, fileMode)
}

// writeOnce appends p to a file that was opened to append, with one call.
func writeOnce(fd uintptr, p []byte, _ int64) (n int, err error) {
	var done uint32
	err = windows.WriteFile(windows.Handle(fd), p, &done, nil)
	return int(done), err
}

// interrupted tells whether a call that failed is to be made again.
func interrupted(error) bool { return false }

// linked tells whether a file has a name in some folder; Windows removes no file that is open.
func linked(*os.File) bool { return true }

// ownStream returns nil: a broken pipe is an error like any other here.
func ownStream(io.Writer) *os.File { return nil }

// isTerminal tells whether f is a console that obeys escape sequences, after having asked it to.
func isTerminal(f *os.File) bool {
	h := windows.Handle(f.Fd())
	var mode uint32
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

// renameNew renames a file, unless there is one of the new name.
func renameNew(from, to string) error {
	err := func() error {
		a, err := windows.UTF16PtrFromString(from)
		if err != nil {
			return err
		}
		b, err := windows.UTF16PtrFromString(to)
		if err != nil {
			return err
		}
		return windows.MoveFileEx(a, b, 0)
	}()
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
