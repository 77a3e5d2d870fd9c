package hostfile

import (
	"crypto/subtle"
	"fmt"
	"hash"
	"os"
	"sync"
)

// sums are those of a file that is written. They are made of what can be read of it, by goroutines of their own, while it is written
// on: what was just written is in memory.
type sums struct {
	file   *os.File
	list   []*sum
	making sync.WaitGroup
}

// sum is one that is compared.
type sum struct {
	name string
	want []byte

	// For the goroutine that makes it.
	hash hash.Hash
	have int64 // bytes that are in it
	buf  []byte
	err  error

	mu    sync.Mutex // guards the fields below
	to    int64      // bytes that are to be in it
	makes bool       // the goroutine runs
}

// sumSize is how much of a file is read at a time, in bytes.
const sumSize = 64 << 10

func (s *sums) add(name string, h hash.Hash, want []byte) {
	s.list = append(s.list, &sum{name: name, hash: h, want: want})
}

// follow has the sums made up to an offset, and does not wait for that.
func (s *sums) follow(to int64) {
	for _, one := range s.list {
		one.mu.Lock()
		one.to = to
		if !one.makes {
			one.makes = true
			s.making.Go(func() { one.follow(s.file) })
		}
		one.mu.Unlock()
	}
}

func (s *sum) follow(file *os.File) {
	if s.buf == nil {
		s.buf = make([]byte, sumSize)
	}
	for n := s.left(); n > 0; n = s.left() {
		n, s.err = file.ReadAt(s.buf[:n], s.have)
		s.hash.Write(s.buf[:n])
		s.have += int64(n)
	}
}

// left is how many bytes are to be read next; 0 if the goroutine ends.
func (s *sum) left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.makes = s.have < s.to && s.err == nil; !s.makes {
		return 0
	}
	return int(min(s.to-s.have, sumSize))
}

// wait waits until the sums are made as far as they are to be.
func (s *sums) wait() { s.making.Wait() }

// compare waits, and says which sum is not the one that is wanted.
func (s *sums) compare() error {
	s.wait()
	for _, one := range s.list {
		if one.err != nil {
			return fmt.Errorf("read back for the %s: %w", one.name, one.err)
		}
		if got := one.hash.Sum(nil); subtle.ConstantTimeCompare(got, one.want) == 0 {
			return fmt.Errorf("%w: %s is %x, want %x", ErrChecksum, one.name, got, one.want)
		}
	}
	return nil
}

// reset begins again with the first byte.
func (s *sums) reset() {
	s.wait()
	for _, one := range s.list {
		one.hash.Reset()
		one.have, one.to, one.err = 0, 0, nil
	}
}
