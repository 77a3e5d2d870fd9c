package form

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
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

// File is a file of a form. While it grows it can be followed, and has no sums. One goroutine has it grow; any number may
// read it.
type File struct {
	Name string // without folders, as the caller wrote it

	// For who has the file grow.
	store *Store
	from  io.Reader
	sha   hash.Hash
	buf   []byte         // where the next bytes go, the beginning of the file in front of them while it is in memory
	large *room          // what buf is of, unless it is shorter
	taken int64          // on the disk
	aside sync.WaitGroup // what sums beside

	mu      sync.Mutex // guards the fields below
	size    int64      // bytes that have come
	memory  []byte     // that of a file that is not on disk
	disk    *os.File
	whole   bool              // nothing more comes
	verdict error             // once the file is settled: io.EOF for a good one
	news    chan struct{}     // closed when something changes; nil while nobody waits for that
	sum     [sha256.Size]byte // of a file that is whole
	md5     *[md5.Size]byte   // once it is known
}

func newFile(name string, s *Store, from io.Reader) *File {
	buf := make([]byte, early)
	return &File{Name: name, store: s, from: from, sha: sha256.New(), buf: buf, memory: buf}
}

// fill takes the rest of the file.
func (f *File) fill() error {
	for !f.whole {
		if err := f.take(pieceSize); err != nil {
			return err
		}
	}
	return nil
}

// take takes n bytes, or those up to the end. Parts of a form come in pieces of 4 KiB at most, which are collected: the disk and
// whoever follows get large ones.
func (f *File) take(n int64) error {
	p, err := f.space(n)
	if err != nil {
		return err
	}
	have := 0
	for err == nil && have < len(p) {
		var more int
		more, err = f.from.Read(p[have:])
		have += more
	}
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
		}
	})
	return nil
}

// keep sums bytes that have come, and writes them meanwhile if the file is on the disk.
func (f *File) keep(p []byte) error {
	if f.disk == nil {
		f.sha.Write(p)
		return nil
	}
	var sum sync.WaitGroup
	defer sum.Wait()
	sum.Go(func() { f.sha.Write(p) })
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

// change changes what readers see, and wakes those that wait.
func (f *File) change(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	if f.news != nil {
		close(f.news)
		f.news = nil
	}
}

// Grows reports whether more may come.
func (f *File) Grows() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.whole
}

// Settle says that a file that has grown is wanted as it is, or why not. Only the first word counts.
func (f *File) Settle(err error) {
	if err == nil {
		err = io.EOF
	}
	f.change(func() {
		if f.verdict == nil {
			f.verdict = err
		}
	})
}

// Follow reads the file from an offset on while it grows. io.EOF comes when it is settled and good, else why it is not.
func (f *File) Follow(ctx context.Context, from int64) io.Reader {
	return &follower{ctx: ctx, file: f, at: from, end: func() error { return f.verdict }}
}

// follower reads a file that grows.
type follower struct {
	ctx  context.Context
	file *File
	at   int64
	end  func() error // what is to be said at the end; nil while that is not known. The file's lock is held
}

func (r *follower) Read(p []byte) (int, error) {
	for {
		left, news, err := r.look()
		if err != nil {
			return 0, err
		}
		if left > 0 {
			n, err := r.file.ReadAt(p[:min(int64(len(p)), left)], r.at)
			r.at += int64(n)
			return n, err
		}
		select {
		case <-news:
		case <-r.ctx.Done():
			return 0, context.Cause(r.ctx)
		}
	}
}

// look returns how much there is to read. If that is nothing, and not the end, news is closed when there may be more.
func (r *follower) look() (left int64, news <-chan struct{}, err error) {
	f := r.file
	f.mu.Lock()
	defer f.mu.Unlock()
	switch left := f.size - r.at; {
	case left < 0:
		return 0, nil, fmt.Errorf("%d bytes of a file were read, which has %d", r.at, f.size)
	case left > 0:
		return left, nil, nil
	}
	if err := r.end(); err != nil {
		return 0, nil, err
	}
	if f.news == nil {
		f.news = make(chan struct{})
	}
	return 0, f.news, nil
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

// sumAside begins to make the MD5 of a file that grows, which takes longer than all the rest.
func (f *File) sumAside() {
	f.aside.Go(func() {
		h := md5.New()
		all := &follower{ctx: context.Background(), file: f, end: func() error {
			if f.whole {
				return io.EOF
			}
			return f.verdict
		}}
		if _, err := io.CopyBuffer(struct{ io.Writer }{h}, all, make([]byte, pieceSize)); err == nil {
			f.change(func() { f.md5 = (*[md5.Size]byte)(h.Sum(nil)) })
		}
	})
}

// MD5 returns the checksum that peers of the field want. It is made when it is asked for, unless that was clear before: it
// takes longer than the rest. It must not be called side by side.
func (f *File) MD5() ([md5.Size]byte, error) {
	if f.Grows() {
		return [md5.Size]byte{}, errGrowing
	}
	f.aside.Wait()
	if f.md5 == nil {
		h := md5.New()
		if _, err := io.CopyBuffer(struct{ io.Writer }{h}, io.NewSectionReader(f, 0, f.size), make([]byte, pieceSize)); err != nil {
			return [md5.Size]byte{}, err
		}
		f.md5 = (*[md5.Size]byte)(h.Sum(nil))
	}
	return *f.md5, nil
}

// Close removes the file, which nobody follows any more. It may be called twice.
func (f *File) Close() {
	f.Settle(fs.ErrClosed)
	f.aside.Wait()
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
