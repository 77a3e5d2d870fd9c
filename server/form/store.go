package form

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/jkstack/jkframe/v2/server/rest"
)

// filePrefix begins the name of a file of a store.
const filePrefix = "upload-"

// Store keeps the files of forms. Its methods may be called by any number of goroutines at once.
type Store struct {
	folder func() (string, error)
	size   int64 // bytes on disk at most

	once    sync.Once // clears the folder
	buffers sync.Pool // of rooms
	blocks  sync.Pool // of blocks of streams
	readers sync.Pool // of *bufio.Reader

	mu   sync.Mutex // guards the fields below
	used int64
	more int // blocks of streams, beyond those that each has
}

// NewStore makes a store in a folder, for size bytes at most of all files together.
func NewStore(folder func() (string, error), size int64) *Store {
	return &Store{
		folder: folder, size: size,
		buffers: sync.Pool{New: func() any { return new(room) }}, blocks: sync.Pool{New: func() any { return new(block) }},
		readers: sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readSize) }},
	}
}

// readAhead returns a reader of a body, which has much of it read at a time. Nobody reads it any more when release is called.
func (s *Store) readAhead(body io.Reader) (ahead io.Reader, release func()) {
	r := s.readers.Get().(*bufio.Reader)
	r.Reset(body)
	return r, func() {
		r.Reset(nil)
		s.readers.Put(r)
	}
}

func (s *Store) block() *block { return s.blocks.Get().(*block) }

// oneMore allows a stream one more block, if there is one.
func (s *Store) oneMore() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.more == moreBlocks {
		return false
	}
	s.more++
	return true
}

func (s *Store) giveMore(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.more -= n
}

// Take reads a file to its end.
func (s *Store) Take(name string, from io.Reader) (*File, error) {
	f, err := s.begin(name, from)
	if err != nil {
		return nil, err
	}
	if err := f.fill(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// begin reads a file up to where one ends that is sent in a message.
func (s *Store) begin(name string, from io.Reader) (*File, error) {
	f := newFile(name, s, from)
	if err := f.take(early); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
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
