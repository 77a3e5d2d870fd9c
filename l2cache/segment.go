package l2cache

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
)

// Run names the time from one opening of a durable queue to the next: a random number. Sequences go on from one run to the
// next, but a loss of power may take the last ones with it, and they are given again. (Run, sequence) is never given again.
type Run [16]byte

// String returns 32 hexadecimal digits.
func (r Run) String() string { return hex.EncodeToString(r[:]) }

// A segment is a file that begins with a header, twice, so that one turned byte does not cost all records. All numbers are
// little-endian.
//
//	0  8  magic
//	8  16 run
//	24 8  first sequence of the run
//	32 8  sequence from which on records are here
//	40 8  sequence after the last record of the segment before
//	48 4  salt
//	52 4  CRC-32C of bytes 0 to 52
const (
	segmentMagic  = "l2queue1"
	segmentHead   = 56
	segmentPrefix = 2 * segmentHead
	segmentSuffix = ".seg"
)

// segmentHeader is what the header of a segment says.
type segmentHeader struct {
	run   Run
	first uint64 // of the run
	base  uint64 // records from here on
	prev  uint64 // sequence after those of the segment before
	salt  uint32
}

// append adds the header to b, twice.
func (h segmentHeader) append(b []byte) []byte {
	i := len(b)
	b = append(b, segmentMagic...)
	b = append(b, h.run[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.first)
	b = binary.LittleEndian.AppendUint64(b, h.base)
	b = binary.LittleEndian.AppendUint64(b, h.prev)
	b = binary.LittleEndian.AppendUint32(b, h.salt)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[i:], crc32.MakeTable(crc32.Castagnoli)))
	return append(b, b[i:]...)
}

// parseSegmentHeader reads a header at the start of a file.
func parseSegmentHeader(b []byte) (h segmentHeader, ok bool) {
	for ; len(b) >= segmentHead; b = b[segmentHead:] {
		one := b[:segmentHead]
		sum := binary.LittleEndian.Uint32(one[52:])
		if string(one[:8]) == segmentMagic && sum == crc32.Checksum(one[:52], crc32.MakeTable(crc32.Castagnoli)) {
			copy(h.run[:], one[8:])
			h.first = binary.LittleEndian.Uint64(one[24:])
			h.base = binary.LittleEndian.Uint64(one[32:])
			h.prev = binary.LittleEndian.Uint64(one[40:])
			h.salt = binary.LittleEndian.Uint32(one[48:])
			return h, 0 < h.first && h.first <= h.base && 0 < h.prev && h.prev <= h.base
		}
	}
	return segmentHeader{}, false
}

// segmentName is the name of the segment that begins with a sequence.
func segmentName(base uint64) string { return fmt.Sprintf("%020d%s", base, segmentSuffix) }

// parseSegmentName is the sequence that a segment begins with, by its name.
func parseSegmentName(name string) (base uint64, ok bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	base, err := strconv.ParseUint(digits, 10, 64)
	return base, err == nil && base > 0
}

// markEvery is how many bytes lie between two places of a segment that are remembered.
const markEvery = 64 << 10

// mark is a place in a segment: the record with this sequence begins at this offset.
type mark struct {
	seq uint64
	off int64
}

// segment is a part of a queue: a file, or a piece of memory. The queue's lock guards what changes.
type segment struct {
	segmentHeader
	end   int64  // readers go up to here
	next  uint64 // sequence after the last record up to there
	size  int64  // of the file, which may go on behind end, or of the piece of memory
	marks []mark
	bad   []int64 // where damage was found, so that it is reported once
	mem   []byte  // of a piece of memory, what is up to end

	file  *os.File // nil when nobody needs it
	fd    uintptr
	users int // readers, and one for the one that is written to
	gone  bool

	// Of the segment that is written to.
	suspect    bool   // what it has must be written again: see repair
	noAhead    bool   // the system gives its file nothing ahead
	synced     int64  // up to here it is on the disk
	syncedNext uint64 // the sequence there
}

// start is the offset of the first record.
func (s *segment) start() int64 {
	if s.mem != nil {
		return 0
	}
	return segmentPrefix
}

// note remembers a place if the last one is far enough away.
func (s *segment) note(seq uint64, off int64) {
	if n := len(s.marks); n == 0 && off-s.start() >= markEvery || n > 0 && off-s.marks[n-1].off >= markEvery {
		s.marks = append(s.marks, mark{seq, off})
	}
}

// near is the last remembered place at or before a sequence.
func (s *segment) near(seq uint64) mark {
	at := mark{s.base, s.start()}
	for _, m := range s.marks {
		if m.seq > seq {
			break
		}
		at = m
	}
	return at
}

// attach gives a segment its file.
func (s *segment) attach(f *os.File) { s.file, s.fd = f, f.Fd() }

// createSegment makes the file of a new segment, in the place of one that has no records if there is one. When that fails
// there is none.
func createSegment(d *folder, h segmentHeader, durable bool) (*segment, error) {
	name := segmentName(h.base)
	f, err := d.create(name)
	if err != nil {
		return nil, err
	}
	s := &segment{
		segmentHeader: h, end: segmentPrefix, next: h.base, size: segmentPrefix, users: 1, synced: segmentPrefix, syncedNext: h.base,
	}
	s.attach(f)
	err = writeAt(f, s.fd, h.append(nil), 0)
	if err == nil && durable {
		if err = syncFile(f, s.fd); err == nil {
			err = d.sync()
		}
	}
	if err != nil {
		f.Close()
		return nil, errors.Join(d.explain(err), d.remove(name))
	}
	return s, nil
}

// readHeader reads the header of a segment's file.
func readHeader(f *os.File) (segmentHeader, bool, error) {
	b := make([]byte, segmentPrefix)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return segmentHeader{}, false, err
	}
	h, ok := parseSegmentHeader(b[:n])
	return h, ok, nil
}
