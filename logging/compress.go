package logging

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// stale is the age at which a temporary file of a compression is nobody's any more.
const stale = 10 * time.Minute

// errStopped ends the compression of files early; it is no fault.
var errStopped = errors.New("stopped")

// temporary is what a file is compressed to, until it is complete.
func (d *folder) temporary() string { return filepath.Join(d.dir, d.naming.name+".log.gz.tmp") }

// removeStale removes the temporary file of a process that ended in the middle of a compression. Files may be compressed no
// longer since then, so that nobody else would.
func (d *folder) removeStale() error {
	st, err := os.Lstat(d.temporary())
	if err == nil && st.Mode().IsRegular() && time.Since(st.ModTime()) > stale {
		err = os.Remove(d.temporary())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// runCompress compresses what was rotated, one file after the other, until done is closed.
func (d *folder) runCompress(done <-chan struct{}) {
	for {
		select {
		case <-d.packing:
		case <-done:
			return
		}
		switch err := d.pack(done); {
		case err == nil:
			d.faults.works(opCompress)
		case !errors.Is(err, errStopped):
			d.faults.failed(opCompress, err)
		}
	}
}

// settled is how long after its rotation a file is left alone: another process writes to it until it notices, which takes as long as
// probe, and more on a machine that is busy.
const settled = time.Second

// pack compresses the rotated files that are not compressed yet, the newest first. Files that get other names meanwhile, or are new,
// are found by the next call, for which the rotation that named them has asked.
func (d *folder) pack(done <-chan struct{}) error {
	before, err := d.unpacked()
	if err != nil || len(before) == 0 {
		return err
	}
	select {
	case <-time.After(settled):
	case <-done:
		return errStopped
	}
	entries, err := d.unpacked()
	for _, e := range entries {
		if !slices.ContainsFunc(before, func(b entry) bool { return os.SameFile(b.info, e.info) }) {
			continue
		}
		failed := d.packOne(e, done)
		if errors.Is(failed, errStopped) {
			return failed
		}
		err = errors.Join(err, failed)
	}
	return err
}

// unpacked lists the rotated files that are not compressed yet.
func (d *folder) unpacked() ([]entry, error) {
	d.mu.Lock()
	entries, err := d.list()
	d.mu.Unlock()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(entries, func(e entry) bool { return e.gz || e.live || e.number == 0 }), err
}

// packOne compresses e. The file gets its name only when it is complete; until then the log has the one it is made from,
// and rotations may give that another number meanwhile.
func (d *folder) packOne(e entry, done <-chan struct{}) (err error) {
	src, err := d.openPart(e.part)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer src.Close()

	tmp := d.temporary()
	dst, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.info.Mode().Perm())
	if errors.Is(err, fs.ErrExist) {
		return errStopped // another process is at it
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp))
		}
	}()
	size, err := compress(dst, src, done)
	if err = errors.Join(err, dst.Close()); err != nil {
		return err
	}
	_ = os.Chtimes(tmp, time.Now(), e.info.ModTime()) // a wrong time is no reason to keep the large file
	if err := d.spare(e); err != nil {
		return err
	}
	return d.install(tmp, src, size)
}

// spare gives a number to what is in the place that e gets when it is compressed: the lines of a day to which the clock has come
// back since, as it does at each start of a machine whose clock has no battery. With the time of e they are those of e, and a
// process was killed before it could remove e.
func (d *folder) spare(e entry) error {
	if e.number != unnumbered {
		return nil
	}
	earlier := e.part
	earlier.gz = true
	st, err := os.Lstat(d.path(earlier))
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.ModTime().Equal(e.info.ModTime()) {
		return nil
	}
	if err == nil {
		_, err = d.retire(earlier)
	}
	if err != nil {
		return err
	}
	unlock, _ := d.lock()
	defer unlock()
	return d.tidy()
}

// compress copies src to dst through gzip and to the disk, in pieces, so that it can be stopped. It returns the size of src.
func compress(dst, src *os.File, done <-chan struct{}) (size int64, err error) {
	zw, err := gzip.NewWriterLevel(dst, gzip.BestSpeed)
	if err != nil {
		return 0, err
	}
	for {
		select {
		case <-done:
			return size, errStopped
		default:
		}
		n, err := io.CopyN(zw, src, 256<<10)
		size += n
		switch {
		case err == io.EOF:
			return size, errors.Join(zw.Close(), dst.Sync())
		case err != nil:
			return size, err
		}
	}
}

// install puts the compressed file in the place of src, wherever that is by now, unless src has more than what is in it.
func (d *folder) install(tmp string, src *os.File, size int64) error {
	unlock, ok := d.lock()
	defer unlock()
	if !ok {
		return errStopped // another process would give it another name between two of our calls
	}
	st, err := src.Stat()
	if err != nil {
		return err
	}
	if st.Size() != size {
		return errStopped // another process has not noticed yet that the file was rotated
	}
	entries, err := d.list()
	if err != nil {
		return err
	}
	// Windows removes no file that is open.
	if err := src.Close(); err != nil {
		return err
	}
	for _, e := range entries {
		if !os.SameFile(e.info, st) {
			continue
		}
		packed := e.part
		packed.gz = true
		if err := os.Rename(tmp, d.path(packed)); err != nil {
			return err
		}
		return os.Remove(d.path(e.part))
	}
	return os.Remove(tmp) // src was removed
}
