package form

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jkstack/jkframe/v2/server/rest"
)

// small is the size, in bytes, up to which a file stays in memory.
const small = 1 << 20

// filePrefix begins the name of a file of a store.
const filePrefix = "upload-"

// Store keeps the files of forms. Its methods may be called by any number of goroutines at once.
type Store struct {
	folder func() (string, error)
	size   int64 // bytes on disk at most

	once sync.Once // clears the folder

	mu   sync.Mutex // guards the field below
	used int64
}

// NewStore makes a store in a folder, for size bytes at most of all files together.
func NewStore(folder func() (string, error), size int64) *Store {
	return &Store{folder: folder, size: size}
}

// reserve takes room on the disk.
func (s *Store) reserve(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+n > s.size {
		return rest.Errorf(http.StatusServiceUnavailable, "too much is being uploaded at the same time")
	}
	s.used += n
	return nil
}

func (s *Store) giveBack(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
}

// create makes a file in the folder, from which what a killed server has left is removed first.
func (s *Store) create() (*os.File, error) {
	dir, err := s.folder()
	if err != nil {
		return nil, err
	}
	s.once.Do(func() { err = clear(dir) })
	if err != nil {
		return nil, err
	}
	return os.CreateTemp(dir, filePrefix+"*")
}

func clear(dir string) error {
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, file := range left {
		if strings.HasPrefix(file.Name(), filePrefix) {
			err = errors.Join(err, ignoreMissing(os.Remove(filepath.Join(dir, file.Name()))))
		}
	}
	return err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// File is a file of a form.
type File struct {
	Name string // without folders, as the caller wrote it
	Size int64  // bytes

	store *Store
	data  []byte   // of a small file
	disk  *os.File // of a larger one
	room  int64    // on the disk
	sha   hash.Hash
	md5   *[md5.Size]byte // once it is known
}

// Take reads a file to its end.
func (s *Store) Take(name string, from io.Reader) (_ *File, err error) {
	f := &File{Name: name, store: s, sha: sha256.New()}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	head, err := io.ReadAll(io.LimitReader(from, small+1))
	if err != nil {
		return nil, err
	}
	f.sha.Write(head)
	f.Size = int64(len(head))
	if len(head) <= small {
		f.data = head
		return f, nil
	}
	if f.disk, err = s.create(); err != nil {
		return nil, fmt.Errorf("keep a file: %w", err)
	}
	if _, err := f.write(head); err != nil {
		return nil, err
	}
	return f, f.fill(from)
}

// fill takes the rest of the file. Parts of a form come in pieces of 4 KiB at most, which are collected: the disk gets large ones.
func (f *File) fill(from io.Reader) error {
	for buf := make([]byte, readSize); ; {
		n, err := io.ReadFull(from, buf)
		f.sha.Write(buf[:n])
		if _, err := f.write(buf[:n]); err != nil {
			return err
		}
		f.Size += int64(n)
		switch {
		case err == io.EOF, err == io.ErrUnexpectedEOF:
			return sure(from)
		case err != nil:
			return err
		}
	}
}

// sure tells the end of a file from a body that breaks off, of which ReadFull says the same.
func sure(from io.Reader) error {
	var one [1]byte
	if n, err := from.Read(one[:]); n > 0 || err != io.EOF {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// write adds to the file on disk.
func (f *File) write(p []byte) (int, error) {
	if err := f.store.reserve(int64(len(p))); err != nil {
		return 0, err
	}
	f.room += int64(len(p))
	return f.disk.Write(p)
}

// Len returns the size, in bytes.
func (f *File) Len() int64 { return f.Size }

// ReadAt reads a part of the file. Several may read side by side.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if f.disk == nil {
		return bytes.NewReader(f.data).ReadAt(p, off)
	}
	return f.disk.ReadAt(p, off)
}

// Disk opens a file that is on disk once more. It fails for one that is in memory.
func (f *File) Disk() (*os.File, error) {
	if f.disk == nil {
		return nil, fs.ErrNotExist
	}
	return os.Open(f.disk.Name())
}

// SHA256 returns the checksum.
func (f *File) SHA256() ([sha256.Size]byte, error) { return [sha256.Size]byte(f.sha.Sum(nil)), nil }

// MD5 returns the checksum that peers of the field want. It is made when it is asked for: it takes longer than the rest. It
// must not be called side by side.
func (f *File) MD5() ([md5.Size]byte, error) {
	if f.md5 == nil {
		h := md5.New()
		if _, err := io.Copy(h, io.NewSectionReader(f, 0, f.Size)); err != nil {
			return [md5.Size]byte{}, err
		}
		f.md5 = (*[md5.Size]byte)(h.Sum(nil))
	}
	return *f.md5, nil
}

// Close removes the file.
func (f *File) Close() {
	if f.disk != nil {
		f.disk.Close()
		os.Remove(f.disk.Name())
		f.store.giveBack(f.room)
		f.disk, f.room = nil, 0
	}
}
