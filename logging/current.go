package logging

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// anotherDay tells whether path is not the file of the time t. The clock may have jumped, in either direction.
func (f *file) anotherDay(t time.Time) bool {
	now := t.Unix()
	return now < f.from || now >= f.to
}

// locate sets part and path to the file of the time t.
func (f *file) locate(t time.Time) {
	f.part = f.naming.current(t)
	f.path = f.folder.path(f.part)
	y, m, d := t.Date()
	f.from = time.Date(y, m, d, 0, 0, 0, 0, t.Location()).Unix()
	f.to = time.Date(y, m, d+1, 0, 0, 0, 0, t.Location()).Unix()
}

// verify makes sure that f is the file of path, and opens that when it is not.
func (f *file) verify() {
	if f.f != nil {
		st, err := os.Lstat(f.path)
		switch {
		case err == nil && os.SameFile(st, f.id):
			f.id = st
			f.size = st.Size() + int64(len(f.buf)) // another process may write too, or have emptied the file
			f.misplaced = false
			f.looked()
			return
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			f.looked() // nobody can tell, and f takes lines
			return
		}
	}
	_ = f.swap() // a fault is reported, and f stays what it is
}

// looked says that it is known now what the file of path is.
func (f *file) looked() {
	f.verified = time.Since(f.opened)
	f.check = f.verified + probe
}

// swap opens the file of path in place of f. When that fails, f stays as long as its lines can be found somewhere.
func (f *file) swap() error {
	f.looked()
	if f.f != nil && len(f.buf) > 0 && linked(f.f) {
		f.pour(len(f.buf)) // they were logged when f was the file
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
	// After a start or a fault there may be half a line. Otherwise that would be one that another process is writing now.
	torn := f.f == nil && nf.torn()
	f.use(nf)
	f.torn = torn
	notify(f.changed)
	return nil
}

// use makes nf the file that lines go to.
func (f *file) use(nf openFile) {
	if f.f != nil {
		f.f.Close()
	}
	f.f, f.fd, f.id, f.torn, f.misplaced = nf.f, nf.f.Fd(), nf.id, false, false
	f.size = nf.id.Size() + int64(len(f.buf))
	f.folder.inUse.Store(&nf.id)
}

// turn rotates: the current file gets the number 0, and a new one takes its place. It returns whether there is another
// file now.
func (f *file) turn() bool {
	now := time.Since(f.opened)
	if f.f == nil || now < f.turnAfter {
		return false
	}
	st, err := os.Lstat(f.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(st, f.id) {
		return f.swap() == nil // somebody was faster
	}
	if err == nil {
		f.id = st // whose permissions the new file gets
		err = f.replace()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return f.swap() == nil // somebody was faster, but only just
	}
	if err != nil {
		f.turnAfter = now + probe
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
	f.use(nf)
	return nil
}

// back opens the current file again when it had to be closed for a rotation that failed with err.
func (f *file) back(err error) error {
	if f.f == nil {
		_ = f.swap() // a fault is reported; err came first
	}
	return err
}
