package l2cache

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

// SpoolConfig is how a [Spool] shall be.
type SpoolConfig struct {
	// Dir is the folder, which belongs to this spool alone and is made when it is missing. It gets mode 0700, its files 0600.
	Dir string

	// Size is how many bytes of the disk all buffers together take at most, 64 KiB at least. By default, 1 GiB.
	Size int64
}

// Spool is the folder where buffers have what memory has no room for. One process owns it; what a crash has left in it is
// removed when it is opened. All methods are safe for concurrent use.
type Spool struct {
	size    int64
	scratch sync.Pool // of *[]byte

	mu      sync.Mutex // guards what follows
	dir     *folder
	used    int64
	made    uint64 // files, to name the next one
	buffers map[*Buffer]struct{}
	room    chan struct{} // closed when there may be room; nil when nobody waits
	closed  bool
}

// Files of buffers end so.
const spoolSuffix = ".buf"

// OpenSpool takes a folder for buffers, and empties it. The error says when the folder is in use ([ErrLocked]), or cannot be
// used.
func OpenSpool(cfg SpoolConfig) (*Spool, error) {
	switch {
	case cfg.Dir == "":
		return nil, errors.New("open spool: no folder")
	case cmp.Or(cfg.Size, defaultSize) < maxPart:
		return nil, fmt.Errorf("open spool: size of %d bytes is less than %d", cfg.Size, maxPart)
	}
	dir, err := openFolder(cfg.Dir)
	if err != nil {
		return nil, wrap("open spool", cfg.Dir, err)
	}
	s := &Spool{size: cmp.Or(cfg.Size, defaultSize), dir: dir, buffers: make(map[*Buffer]struct{})}
	s.scratch.New = func() any { b := make([]byte, 0, maxPart); return &b }
	if err := s.clean(); err != nil {
		dir.close()
		return nil, wrap("open spool", dir.path, err)
	}
	return s, nil
}

// clean removes what a crash has left.
func (s *Spool) clean() error {
	names, err := s.dir.list()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasSuffix(name, spoolSuffix) {
			if err := s.dir.remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Used is how many bytes of the disk the buffers take.
func (s *Spool) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// Close closes the buffers that are open, and gives the folder back, which is empty then but for its lock.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	open := slices.Collect(maps.Keys(s.buffers))
	s.mu.Unlock()
	var err error
	for _, b := range open {
		err = errors.Join(err, b.Close())
	}
	s.dir.close()
	return err
}

// enlist notes a buffer, which Close shall close.
func (s *Spool) enlist(b *Buffer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return wrap("new buffer", s.dir.path, ErrClosed)
	}
	s.buffers[b] = struct{}{}
	return nil
}

// create makes a file for a buffer, and the folder if somebody has removed it.
func (s *Spool) create() (f *os.File, name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	name = fmt.Sprint(s.made, spoolSuffix)
	if s.dir.gone() {
		if err := s.dir.renew(); err != nil {
			return nil, "", err
		}
		if err := s.clean(); err != nil {
			return nil, "", err
		}
	}
	f, err = s.dir.create(name)
	return f, name, err
}

// dismiss forgets a buffer, and removes its file if it has one.
func (s *Spool) dismiss(b *Buffer, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.buffers, b)
	if name == "" {
		return nil
	}
	return s.dir.remove(name)
}

// reserve takes n bytes of the disk. When they are not there, it returns a channel that is closed when they may be.
func (s *Spool) reserve(n int64) (room <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+n <= s.size {
		s.used += n
		return nil
	}
	if s.room == nil {
		s.room = make(chan struct{})
	}
	return s.room
}

// giveBack gives n bytes back.
func (s *Spool) giveBack(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
	if s.room != nil {
		close(s.room)
		s.room = nil
	}
}
