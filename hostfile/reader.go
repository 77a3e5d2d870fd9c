package hostfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Reader reads a file as it was when it was opened. It is to be closed.
type Reader struct {
	path string
	file *os.File
	info fs.FileInfo
	off  int64
}

var _ io.ReadSeekCloser = (*Reader)(nil)

// Open opens a file for reading.
func (a *Access) Open(path string) (*Reader, error) {
	return within(a.Read, path, func(p *place) (*Reader, error) {
		f, info, err := opened(p)
		if err != nil {
			return nil, named(p.path, err)
		}
		return &Reader{path: p.path, file: f, info: info}, nil
	})
}

// Size is how many bytes the file has.
func (r *Reader) Size() int64 { return r.info.Size() }

// ModTime is when it was last changed.
func (r *Reader) ModTime() time.Time { return r.info.ModTime() }

// Read reads on. In place of io.EOF there is ErrChanged when the file is not any more what it was.
func (r *Reader) Read(b []byte) (int, error) {
	left := r.info.Size() - r.off
	if left <= 0 {
		if err := r.check(); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	n, err := r.file.ReadAt(b[:min(int64(len(b)), left)], r.off)
	r.off += int64(n)
	if n > 0 {
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("%w: %.200q has become shorter", ErrChanged, r.path)
	}
	return 0, named(r.path, err)
}

// Seek goes elsewhere in the file.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.off
	case io.SeekEnd:
		offset += r.info.Size()
	}
	if offset < 0 || offset > r.info.Size() {
		return r.off, fmt.Errorf("%w: offset %d of %d", ErrInvalid, offset, r.info.Size())
	}
	r.off = offset
	return offset, nil
}

// check says whether the file is what it was.
func (r *Reader) check() error {
	now, err := r.file.Stat()
	switch {
	case err != nil:
		return named(r.path, err)
	case now.Size() > r.info.Size():
		return fmt.Errorf("%w: %.200q has grown", ErrChanged, r.path)
	case now.Size() < r.info.Size():
		return fmt.Errorf("%w: %.200q has become shorter", ErrChanged, r.path)
	case removed(now):
		return fmt.Errorf("%w: %.200q has been removed", ErrChanged, r.path)
	case !now.ModTime().Equal(r.info.ModTime()):
		return fmt.Errorf("%w: %.200q", ErrChanged, r.path)
	}
	// What the system makes while it is read, such as /proc/uptime, says that it has no bytes.
	if n, _ := r.file.ReadAt(make([]byte, 1), r.info.Size()); n > 0 {
		return fmt.Errorf("%w: %.200q has more bytes than its size says", ErrChanged, r.path)
	}
	return nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }
