package l2cache

import (
	"errors"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"sync"
)

// slots is the file of a buffer: places of one size that are taken and given back. The lowest one is taken first, the file
// ends behind the last one that is taken, and what is free before is a hole where the system can make one.
type slots struct {
	spool *Spool
	size  int64 // of a slot

	mu    sync.Mutex // guards what follows
	file  *os.File   // nil until something is written
	name  string
	taken []bool
	low   int // those below are taken
}

// sumEvery is how many bytes have a checksum together.
const sumEvery = 4 << 10

// write writes p, which is not larger than a slot, into a slot, for which there is a reservation. It returns the checksums
// of its pieces.
func (s *slots) write(p []byte) (slot int, sums []uint32, err error) {
	file, slot, err := s.take()
	if err != nil {
		return 0, nil, err
	}
	if _, err := file.WriteAt(p, int64(slot)*s.size); err != nil {
		s.free(slot)
		return 0, nil, err
	}
	for piece := range slices.Chunk(p, sumEvery) {
		sums = append(sums, crc32.Checksum(piece, crc32.MakeTable(crc32.Castagnoli)))
	}
	return slot, sums, nil
}

// take takes the lowest slot that is free.
func (s *slots) take() (*os.File, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		f, name, err := s.spool.create()
		if err != nil {
			return nil, 0, err
		}
		s.file, s.name = f, name
	}
	for s.low < len(s.taken) && s.taken[s.low] {
		s.low++
	}
	if s.low == len(s.taken) {
		s.taken = append(s.taken, false)
	}
	s.taken[s.low] = true
	return s.file, s.low, nil
}

// free gives the space of a slot back to the system. That it cannot be given back yet is no error: it is used again.
func (s *slots) free(slot int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken[slot] = false
	s.low = min(s.low, slot)
	n := len(s.taken)
	for n > 0 && !s.taken[n-1] {
		n--
	}
	if n < len(s.taken) {
		s.taken = s.taken[:n]
		_ = s.file.Truncate(int64(n) * s.size)
		return
	}
	punch(s.file, int64(slot)*s.size, s.size)
}

// read reads into p what is at an offset of the length bytes in a slot, as far as it agrees with the checksums. There is an error
// when the first byte does not.
func (s *slots) read(p []byte, slot int, off, length int64, sums []uint32) (n int, err error) {
	from := off - off%sumEvery
	to := min(roundUp(off+int64(len(p))), length)
	b := p
	if to-from > int64(len(p)) {
		scratch := s.spool.scratch.Get().(*[]byte)
		defer s.spool.scratch.Put(scratch)
		b = slices.Grow((*scratch)[:0], int(to-from))[:to-from]
	}
	m, err := s.file.ReadAt(b, int64(slot)*s.size+from)
	if errors.Is(err, io.EOF) {
		err = &os.PathError{Op: "read", Path: s.file.Name(), Err: ErrGone} // somebody has cut the file
	}
	good, whole := verify(b[:m], sums[from/sumEvery:], int(to-from))
	if !whole && err == nil {
		err = &os.PathError{Op: "read", Path: s.file.Name(), Err: ErrDamaged}
	}
	skip := int(off - from)
	if good <= skip {
		return 0, err
	}
	if to-from > int64(len(p)) {
		good = copy(p, b[skip:good])
	}
	return good, nil // an error further on comes again when it is reached
}

// verify returns how many bytes at the start of b agree with their checksums, and whether all that are there do. When b has
// been read as a whole, it has size bytes.
func verify(b []byte, sums []uint32, size int) (good int, whole bool) {
	for i, sum := range sums {
		piece := b[good:min(good+sumEvery, len(b))]
		if len(piece) == 0 || len(piece) < sumEvery && len(b) < size {
			return good, true
		}
		if crc32.Checksum(piece, crc32.MakeTable(crc32.Castagnoli)) != sum {
			return good, false
		}
		good = min((i+1)*sumEvery, len(b))
	}
	return good, true
}

// roundUp is the next end of a piece with a checksum.
func roundUp(off int64) int64 { return (off + sumEvery - 1) / sumEvery * sumEvery }

// close closes the file, and returns its name if there is one. Nobody may use the slots any more.
func (s *slots) close() (name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return "", nil
	}
	return s.name, s.file.Close()
}
