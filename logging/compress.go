package logging

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// stale is the age at which a temporary file of a compression is nobody's any more.
const stale = 10 * time.Minute

// errStopped ends the compression of files early; it is no fault.
var errStopped = errors.New("stopped")

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

// pack compresses every rotated file that is not compressed yet, the newest first.
func (d *folder) pack(done <-chan struct{}) error {
	for {
		e, ok, err := d.unpacked()
		if err != nil || !ok {
			return err
		}
		if err := d.packOne(e, done); err != nil {
			return err
		}
	}
}

// unpacked returns a rotated file to compress.
func (d *folder) unpacked() (e entry, ok bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	entries, err := d.list()
	if errors.Is(err, fs.ErrNotExist) {
		return entry{}, false, nil
	}
	for _, e := range entries {
		if !e.gz && !e.live && e.number != 0 {
			return e, true, nil
		}
	}
	return entry{}, false, err
}

// packOne compresses e. The file gets its name only when it is complete; until then the log has the one it is made from,
// and rotations may give that another number meanwhile.
func (d *folder) packOne(e entry, done <-chan struct{}) (err error) {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	src, err := openRegular(root, d.naming.format(e.part))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer src.Close()

	tmp := d.naming.name + ".log.gz.tmp"
	if st, err := root.Lstat(tmp); err == nil && st.Mode().IsRegular() && time.Since(st.ModTime()) > stale {
		root.Remove(tmp) // of a process that ended in the middle of it
	}
	dst, err := root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, e.info.Mode().Perm())
	if errors.Is(err, fs.ErrExist) {
		return errStopped // another process is at it
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			root.Remove(tmp)
		}
	}()
	err = compress(dst, src, done)
	if err = errors.Join(err, dst.Close()); err != nil {
		return err
	}
	root.Chtimes(tmp, time.Now(), e.info.ModTime()) // a wrong time is no reason to keep the large file
	return d.install(root, tmp, src)
}

// compress copies src to dst through gzip and to the disk, in pieces, so that it can be stopped.
func compress(dst, src *os.File, done <-chan struct{}) error {
	zw, err := gzip.NewWriterLevel(dst, gzip.BestSpeed)
	if err != nil {
		return err
	}
	for {
		select {
		case <-done:
			return errStopped
		default:
		}
		switch _, err := io.CopyN(zw, src, 256<<10); {
		case err == io.EOF:
			return errors.Join(zw.Close(), dst.Sync())
		case err != nil:
			return err
		}
	}
}

// install puts the compressed file in the place of src, wherever that is by now.
func (d *folder) install(root *os.Root, tmp string, src *os.File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	st, err := src.Stat()
	if err != nil {
		return err
	}
	entries, err := d.list()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !os.SameFile(e.info, st) {
			continue
		}
		packed := e.part
		packed.gz = true
		if err := root.Rename(tmp, d.naming.format(packed)); err != nil {
			return err
		}
		return root.Remove(d.naming.format(e.part))
	}
	return root.Remove(tmp) // src was removed
}
