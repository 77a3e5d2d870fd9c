package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Source is a policy's file. Its methods may be called by any goroutine.
type Source struct {
	file string

	mu   sync.Mutex // guards what follows
	seen stamp
	last *Policy
}

// stamp is what tells a file from itself after a change.
type stamp struct {
	size  int64
	mod   time.Time
	mode  fs.FileMode
	entry any // what else the system says, such as its number and its last change of owner
}

// maxFile is how large a policy's file may be, in bytes.
const maxFile = 1 << 20

// NewSource makes a Source of a file, which need not be there yet.
func NewSource(file string) *Source { return &Source{file: file} }

// File is the name of the file.
func (s *Source) File() string { return s.file }

// Current is the policy as the file has it now. It is never nil: without a good file it is one that refuses everything and
// says why.
func (s *Source) Current() *Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.file)
	if err != nil {
		s.last = nil
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("there is no policy; the command policy init writes one")
		}
		return &Policy{file: s.file, bad: err}
	}
	if now := stampOf(info); s.last == nil || now != s.seen {
		s.seen, s.last = now, s.read(info)
	}
	return s.last
}

// read reads the file.
func (s *Source) read(info fs.FileInfo) *Policy {
	p, err := (*Policy)(nil), trusted(info)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%d bytes are too many for a policy", info.Size())
	}
	if err == nil {
		var data []byte
		if data, err = os.ReadFile(s.file); err == nil {
			p, err = Parse(data, s.file)
		}
	}
	if err != nil {
		return &Policy{file: s.file, bad: fmt.Errorf("the policy cannot be used: %w", err)}
	}
	return p
}

// Check says why the policy refuses everything, nil when it does not.
func (p *Policy) Check() error { return p.bad }
