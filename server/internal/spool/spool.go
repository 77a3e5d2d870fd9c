package spool

import (
	"errors"
	"sync"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// Spool makes buffers. Its methods may be called by any number of goroutines at once.
type Spool struct {
	folder func() (string, error)
	size   int64

	mu     sync.Mutex // guards the fields below
	open   *l2cache.Spool
	closed bool
}

var errClosed = errors.New("spool is closed")

// New makes a spool in a folder, for size bytes on disk at most.
func New(folder func() (string, error), size int64) *Spool { return &Spool{folder: folder, size: size} }

// Buffer makes a buffer, whose Spool need not be set.
func (s *Spool) Buffer(cfg l2cache.BufferConfig) (*l2cache.Buffer, error) {
	var err error
	if cfg.Spool, err = s.get(); err != nil {
		return nil, err
	}
	return l2cache.NewBuffer(cfg)
}

// Used is how many bytes of the disk the buffers take.
func (s *Spool) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return 0
	}
	return s.open.Used()
}

func (s *Spool) get() (*l2cache.Spool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, errClosed
	case s.open != nil:
		return s.open, nil
	}
	dir, err := s.folder()
	if err != nil {
		return nil, err
	}
	s.open, err = l2cache.OpenSpool(l2cache.SpoolConfig{Dir: dir, Size: s.size})
	return s.open, err
}

// Close closes all buffers. No more are made.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.open == nil {
		return nil
	}
	return s.open.Close()
}
