package logging

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// openFile is a file that openLog opened.
type openFile struct {
	f    *os.File
	id   os.FileInfo
	torn bool // its last line has no end
}

// Modes of what is made: the lines of an agent are not for everybody.
const (
	fileMode = 0o640
	dirMode  = 0o750
)

// openLog opens a file to append to, and makes it and its folder when they are missing. It refuses what is no regular
// file: a symbolic link could lead anywhere, a FIFO could stop the program. A new file gets the permissions of the one
// before it, if there was one.
func openLog(path string, before os.FileInfo) (openFile, error) {
	f, err := openAppend(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
			return openFile{}, err
		}
		f, err = openAppend(path)
	}
	if err != nil {
		return openFile{}, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errIrregular}
	}
	if err != nil {
		f.Close()
		return openFile{}, err
	}
	if before != nil && st.Size() == 0 && st.Mode().Perm() != before.Mode().Perm() {
		// When it is not permitted, the log has permissions that an operator did not choose, but it has lines.
		_ = f.Chmod(before.Mode().Perm())
	}
	tail := []byte{'\n'}
	if st.Size() > 0 {
		if _, err := f.ReadAt(tail, st.Size()-1); err != nil {
			tail[0] = '\n' // a file that cannot be read can still be written
		}
	}
	return openFile{f, st, tail[0] != '\n'}, nil
}
