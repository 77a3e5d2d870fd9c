package logging

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// openFile is a file that openLog opened.
type openFile struct {
	f  *os.File
	id os.FileInfo
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
	return openFile{f, st}, nil
}

// torn tells whether the last line of the file has no end. A file that cannot be read can still be written.
func (o openFile) torn() bool {
	if o.id.Size() == 0 {
		return false
	}
	tail := make([]byte, 1)
	_, err := o.f.ReadAt(tail, o.id.Size()-1)
	return err == nil && tail[0] != '\n'
}
