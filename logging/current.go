package logging

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// anotherDay tells whether path is not the file of now. The clock may have jumped, in either direction.
func (f *file) anotherDay() bool {
	now := time.Now().Unix()
	return now < f.from || now >= f.to
}

// locate sets path to the file of now.
func (f *file) locate() {
	t := time.Now()
	f.part = f.naming.current(t)
	f.path = filepath.Join(f.folder.dir, f.naming.format(f.part))
	y, m, d := t.Date()
	f.from = time.Date(y, m, d, 0, 0, 0, 0, t.Location()).Unix()
	f.to = time.Date(y, m, d+1, 0, 0, 0, 0, t.Location()).Unix()
}

// verify makes sure that f is the file of path, and opens that when it is not.
func (f *file) verify(now time.Duration) {
	f.check = now + probe
	if f.naming.daily || f.path == "" {
		f.locate()
	}
	if f.f != nil {
		st, err := os.Lstat(f.path)
		switch {
		case err == nil && os.SameFile(st, f.id):
			f.size = st.Size() + int64(len(f.buf))
			f.misplaced = false
			return
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return // nobody can tell, and f takes lines
		}
	}
	f.swap()
}

// swap opens the file of path in place of f. When that fails, f stays as long as its lines can be found somewhere.
func (f *file) swap() error {
	if f.f != nil && linked(f.f) {
		f.drain()
	}
	nf, err := openLog(f.path, f.id)
	if err != nil {
		f.fail(err)
		if f.f != nil && !linked(f.f) {
			f.f.Close()
			f.f = nil
		}
		f.misplaced = f.f != nil
		return err
	}
	if f.f != nil {
		f.f.Close()
	}
	f.use(nf)
	notify(f.changed)
	return nil
}

// use makes nf the file that lines go to.
func (f *file) use(nf openFile) {
	f.f, f.id, f.torn, f.misplaced = nf.f, nf.id, nf.torn, false
	f.size = nf.id.Size() + int64(len(f.buf))
	f.folder.inUse.Store(&nf.id)
}

// turn rotates: the current file gets the number 0, and a new one takes its place. It returns whether there is another
// file now.
func (f *file) turn() bool {
	now := time.Since(f.opened)
	if f.f == nil || now < f.rotate {
		return false
	}
	if st, err := os.Lstat(f.path); err != nil || !os.SameFile(st, f.id) {
		return f.swap() == nil // somebody was faster
	}
	if err := f.replace(); err != nil {
		f.rotate = now + probe
		f.faults.failed(opRotate, err)
		return false
	}
	f.rotations++
	f.faults.works(opRotate)
	notify(f.changed)
	return true
}

// replace renames the current file and opens a new one. When that fails, the current file stays what it was.
func (f *file) replace() error {
	if closeToRename {
		f.f.Close()
		f.f = nil
	}
	zero, err := f.folder.retire(f.part)
	if err != nil {
		return f.back(err)
	}
	nf, err := openLog(f.path, f.id)
	if err != nil {
		return f.back(errors.Join(err, renameNew(zero, f.path)))
	}
	if f.f != nil {
		f.f.Close()
	}
	f.use(nf)
	return nil
}

// back opens the current file again when it had to be closed for a rotation that failed with err.
func (f *file) back(err error) error {
	if f.f == nil {
		f.swap()
	}
	return err
}

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
