package logging

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// File is one of the files of a log.
type File struct {
	Name    string // within the log's folder
	Size    int64  // bytes on the disk; what waits in the buffer is not counted
	ModTime time.Time
}

// Files returns the log's own files, the newest first: the current one, then what was rotated. There are none without
// TargetFile, or when the folder is missing. A rotation gives files other names: see OpenFile.
func (l *Log) Files() ([]File, error) {
	if l.file == nil {
		return nil, nil
	}
	return l.file.folder.files()
}

// OpenFile opens one of the log's files for reading, by its name as Files has it. Any other name, and what is not a
// regular file, is an error that wraps fs.ErrNotExist. The file that is open stays the same when a rotation gives it
// another name or removes it.
func (l *Log) OpenFile(name string) (*os.File, error) {
	if l.file == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return l.file.folder.open(name)
}

func (d *folder) files() ([]File, error) {
	unlock, _ := d.lock()
	defer unlock()
	entries, err := d.list()
	if err == nil && d.shift(entries) == nil {
		entries, err = d.list()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	files := make([]File, len(entries))
	for i, e := range entries {
		files[i] = File{d.naming.format(e.part), e.info.Size(), e.info.ModTime()}
	}
	return files, nil
}

func (d *folder) open(name string) (*os.File, error) {
	p, ok := d.naming.parse(name)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.openPart(p)
}

// openPart opens a part for reading.
func (d *folder) openPart(p part) (*os.File, error) {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openRegular(root, d.naming.format(p))
}

// openRegular opens a regular file for reading.
func openRegular(root *os.Root, name string) (*os.File, error) {
	irregular := &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	st, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, irregular
	}
	f, err := root.OpenFile(name, readFlags, 0)
	if err != nil {
		return nil, err
	}
	// A link or a FIFO may have taken its place in between.
	if opened, err := f.Stat(); err != nil || !os.SameFile(st, opened) {
		f.Close()
		return nil, irregular
	}
	return f, nil
}
