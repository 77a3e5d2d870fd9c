package form

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"

	"github.com/jkstack/jkframe/v2/server/rest"
)

const (
	// small is the size, in bytes, up to which a file stays in memory.
	small = 1 << 20

	// early is how many bytes of a file have come before anybody learns of it: one that is not larger is there as a whole.
	early = 32<<10 + 1

	// pieceSize is how many bytes are taken at a time.
	pieceSize = 128 << 10
)

// room has room for a file that stays in memory, and for a byte more, which tells that it does not.
type room [small + 1]byte

// errGrowing means that a file is not there as a whole yet.
var errGrowing = errors.New("the file still grows")

// File is a file of a form. While it grows it has no sums, and can be made a [Stream]. One goroutine has it grow; when it is whole
// any number may read it.
type File struct {
	Name string // without folders, as the caller wrote it

	// For who has the file grow.
	store   *Store
	from    io.Reader
	sha     hash.Hash
	md      hash.Hash // MD5, if it is made while the file comes
	wantMD5 bool
	buf     []byte  // where the next bytes go, the beginning of the file in front of them while it is in memory
	large   *room   // what buf is of, unless it is shorter
	taken   int64   // on the disk
	stream  *Stream // where it goes in place of all this

	mu     sync.Mutex // guards the fields below
	size   int64      // bytes that have come
	memory []byte     // that of a file that is not on disk
	disk   *os.File
	whole  bool              // nothing more comes
	sum    [sha256.Size]byte // of a file that is whole
	md5    *[md5.Size]byte   // once it is known
}

func newFile(name string, s *Store, from io.Reader) *File {
	buf := make([]byte, early)
	return &File{Name: name, store: s, from: from, sha: sha256.New(), buf: buf, memory: buf}
}

// fill takes the rest of the file.
func (f *File) fill() error {
	if f.stream != nil {
		return f.stream.fill()
	}
	if f.wantMD5 {
		f.md = md5.New()
		f.md.Write(f.memory[:f.size])
	}
	for !f.whole {
		if err := f.take(pieceSize); err != nil {
			return err
		}
	}
	return nil
}

// take takes n bytes, or those up to the end.
func (f *File) take(n int64) error {
	p, err := f.space(n)
	if err != nil {
		return err
	}
	have, err := fillPiece(f.from, p)
	if err != nil && err != io.EOF {
		return err
	}
	if err := f.keep(p[:have]); err != nil {
		return err
	}
	f.change(func() {
		f.size += int64(have)
		if err == io.EOF {
			f.whole, f.sum = true, [sha256.Size]byte(f.sha.Sum(nil))
			if f.md != nil {
				f.md5 = (*[md5.Size]byte)(f.md.Sum(nil))
			}
		}
	})
	return nil
}

// keep sums bytes that have come, and writes them meanwhile if the file is on the disk.
func (f *File) keep(p []byte) error {
	var sums sync.WaitGroup
	defer sums.Wait()
	if f.md != nil {
		sums.Go(func() { f.md.Write(p) })
	}
	if f.disk == nil {
		f.sha.Write(p)
		return nil
	}
	sums.Go(func() { f.sha.Write(p) })
	return f.write(f.disk, p)
}

// space returns where the next n bytes go, or fewer.
func (f *File) space(n int64) ([]byte, error) {
	if f.disk == nil && f.size == int64(len(f.buf)) {
		if f.large != nil {
			if err := f.spill(); err != nil {
				return nil, err
			}
		} else {
			f.large = f.store.buffers.Get().(*room)
			copy(f.large[:], f.buf)
			f.buf = f.large[:]
			f.change(func() { f.memory = f.buf })
		}
	}
	if f.disk != nil {
		return f.buf[:n], nil
	}
	return f.buf[f.size:min(f.size+n, int64(len(f.buf)))], nil
}

// spill puts on the disk what there is no room for in memory.
func (f *File) spill() error {
	disk, err := f.store.create()
	if err != nil {
		return notKept(err)
	}
	if err := f.write(disk, f.buf); err != nil {
		return errors.Join(err, disk.Close(), os.Remove(disk.Name()))
	}
	f.change(func() { f.disk, f.memory = disk, nil })
	return nil
}

// write adds to a file on the disk.
func (f *File) write(disk *os.File, p []byte) error {
	if err := f.store.reserve(int64(len(p))); err != nil {
		return err
	}
	f.taken += int64(len(p))
	if _, err := disk.Write(p); err != nil {
		return notKept(err)
	}
	return nil
}

// notKept is the answer when the server's own disk does not take a file: the caller has done nothing wrong.
func notKept(err error) error {
	return rest.Errorf(http.StatusServiceUnavailable, "the file cannot be kept on the server: %v", err)
}

// change changes what readers see.
func (f *File) change(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// Grows reports whether more may come.
func (f *File) Grows() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.whole
}

// Len returns how many bytes have come.
func (f *File) Len() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.size
}

// ReadAt reads a part of the file. Several may read side by side.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	if disk := f.disk; disk != nil {
		f.mu.Unlock()
		return disk.ReadAt(p, off)
	}
	defer f.mu.Unlock() // what is in memory may not go to the disk meanwhile
	if f.memory == nil {
		return 0, fs.ErrClosed
	}
	return bytes.NewReader(f.memory[:f.size]).ReadAt(p, off)
}

// Disk opens a file that is on disk once more. It fails for one that is in memory.
func (f *File) Disk() (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.disk == nil {
		return nil, fs.ErrNotExist
	}
	return os.Open(f.disk.Name())
}

// SHA256 returns the checksum.
func (f *File) SHA256() ([sha256.Size]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.whole {
		return f.sum, errGrowing
	}
	return f.sum, nil
}

// wantSum has the MD5 of a file that grows made while it comes, since it takes longer than all the rest.
func (f *File) wantSum() { f.wantMD5 = true }

// MD5 returns the checksum that peers of the field want. It is made when it is asked for, unless that was clear before: it
// takes longer than the rest. It must not be called side by side.
func (f *File) MD5() ([md5.Size]byte, error) {
	if f.Grows() {
		return [md5.Size]byte{}, errGrowing
	}
	if f.md5 == nil {
		h := md5.New()
		if _, err := io.CopyBuffer(struct{ io.Writer }{h}, io.NewSectionReader(f, 0, f.size), make([]byte, pieceSize)); err != nil {
			return [md5.Size]byte{}, err
		}
		f.md5 = (*[md5.Size]byte)(h.Sum(nil))
	}
	return *f.md5, nil
}

// Close removes the file, which nobody reads any more. It may be called twice.
func (f *File) Close() {
	if f.stream != nil {
		f.stream.close()
	}
	f.mu.Lock()
	disk, large := f.disk, f.large
	f.disk, f.memory, f.large = nil, nil, nil
	f.mu.Unlock()
	if large != nil {
		f.store.buffers.Put(large)
	}
	if disk != nil {
		disk.Close()
		os.Remove(disk.Name())
	}
	f.store.giveBack(f.taken) // also of one that the disk has not taken
	f.taken = 0
}
