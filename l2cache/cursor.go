package l2cache

import (
	"errors"
	"io"
)

// How much is read from a file at once: little for a reader that follows the writer, more for one that has a way to go.
const (
	minChunk = 8 << 10
	maxChunk = 256 << 10
)

// cursor walks over the records of one segment. It has no lock: what it may read does not change.
type cursor struct {
	seg   *segment
	off   int64  // where it is
	end   int64  // how far it may go
	limit uint64 // sequences are below this one
	last  uint64 // sequence before the next record
	mem   []byte // of a piece of memory, what is up to end
	buf   []byte // what is at off and behind, as far as it was read
	chunk int
	scan  bool // data is good until next alone: memory is used again
	space []byte
	lent  *lent // gives memory that is used again; nil: what is read stays

	recalled int64 // where the tail has helped
}

// outcome is what a cursor has found.
type outcome int

const (
	found   outcome = iota
	atEnd           // there is nothing more
	damaged         // what is here is no record
)

// next returns the record at the cursor and goes on behind it. The data stays as it is for ever, unless the cursor only scans.
func (c *cursor) next() (seq uint64, data []byte, o outcome, err error) {
	if c.off >= c.end {
		return 0, nil, atEnd, nil
	}
	h, o, err := c.head()
	if o != found || err != nil {
		return 0, nil, o, err
	}
	size := headerSize + h.length
	if err := c.fill(size); err != nil {
		return 0, nil, damaged, err
	}
	if len(c.buf) < size {
		return 0, nil, damaged, nil
	}
	data = c.buf[headerSize:size:size]
	if c.mem == nil && checksum(c.seg.salt, data) != h.sum {
		return 0, nil, damaged, nil
	}
	c.last = fullSeq(c.last, h.seq)
	c.skip(size)
	return c.last, data, found, nil
}

// head reads the header at the cursor. A record beyond the limit was not accepted: nothing more follows.
func (c *cursor) head() (head, outcome, error) {
	if err := c.fill(headerSize); err != nil {
		return head{}, damaged, err
	}
	if len(c.buf) < headerSize {
		return head{}, damaged, nil
	}
	h, ok := parseHead(c.buf, c.seg.salt)
	if !ok || c.off+headerSize+int64(h.length) > c.end {
		return head{}, damaged, nil
	}
	if fullSeq(c.last, h.seq) >= c.limit {
		return head{}, atEnd, nil
	}
	return h, found, nil
}

// skip goes on by n bytes, which have been read.
func (c *cursor) skip(n int) {
	c.off += int64(n)
	c.buf = c.buf[n:]
}

// fill reads until n bytes are there, or all that the file has.
func (c *cursor) fill(n int) error {
	if len(c.buf) >= n {
		return nil
	}
	if c.mem != nil {
		c.buf = c.mem[c.off:c.end]
		return nil
	}
	c.chunk = min(max(2*c.chunk, minChunk), maxChunk)
	alike := max(1, (c.chunk-headerSize)/n) // records like this one are read as a whole, and the header of the next
	size := min(int64(alike)*int64(n)+headerSize, c.end-c.off)
	if size <= int64(len(c.buf)) {
		return nil
	}
	b := c.room(int(size))
	c.buf = nil // its memory may be used again
	m, err := c.seg.file.ReadAt(b, c.off)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	c.buf = b[:m]
	return nil
}

// room is memory to read into.
func (c *cursor) room(size int) []byte {
	switch {
	case c.lent != nil:
		return c.lent.take(size)
	case !c.scan:
		return make([]byte, size) // what was returned stays with whoever has it
	case cap(c.space) < size:
		c.space = make([]byte, size)
	}
	return c.space[:size]
}

// resync goes on to the next record that is whole. It returns the places between which there is none, and atEnd when none
// follows.
func (c *cursor) resync() (from, to int64, o outcome, err error) {
	from = c.off
	for n := 1; ; {
		if c.off += int64(n); c.off >= c.end {
			c.off, c.buf = c.end, nil
			return from, c.end, atEnd, nil
		}
		c.buf = c.buf[min(n, len(c.buf)):]
		if err := c.fill(headerSize); err != nil {
			return from, c.off, damaged, err
		}
		if len(c.buf) < headerSize {
			n = headerSize // nothing begins there any more
			continue
		}
		if n = findMarker(c.buf); n > 0 {
			continue
		}
		if whole, err := c.whole(); whole || err != nil {
			return from, c.off, found, err
		}
		n = 1
	}
}

// whole tells whether a record is at the cursor.
func (c *cursor) whole() (bool, error) {
	h, o, err := c.head()
	if o != found || err != nil {
		return false, err
	}
	size := headerSize + h.length
	if err := c.fill(size); err != nil || len(c.buf) < size {
		return false, err
	}
	return checksum(c.seg.salt, c.buf[headerSize:size]) == h.sum, nil
}
