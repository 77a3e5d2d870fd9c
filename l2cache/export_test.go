package l2cache

import (
	"bytes"
	"math"
	"os"
	"testing"
)

// Walk returns the records of a file that has nothing else, and passes over what is damaged.
func Walk(t testing.TB, path string, salt uint32) (records []Record) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	c := cursor{seg: &segment{segmentHeader: segmentHeader{salt: salt}, file: f}, end: st.Size(), limit: math.MaxUint64}
	for {
		seq, data, o, err := c.next()
		if o == damaged {
			_, _, o, err = c.resync()
			seq = 0
		}
		if err != nil {
			t.Fatal(err)
		}
		if o == atEnd {
			return records
		}
		if seq > 0 {
			records = append(records, Record{Seq: seq, Data: data})
		}
	}
}

// AppendHead adds the header of a record.
func AppendHead(b []byte, salt uint32, seq uint64, length int, sum uint32) []byte {
	return appendHead(b, salt, seq, length, sum)
}

// ParseHead reads what AppendHead adds.
func ParseHead(b []byte, salt uint32) (length int, seq, sum uint32, ok bool) {
	h, ok := parseHead(b, salt)
	return h.length, h.seq, h.sum, ok
}

// AppendPosition adds one place of the file of the position.
func AppendPosition(b []byte, writes, acked, next, base uint64, end int64) []byte {
	return appendPosition(b, writes, position{acked, next, place{base, end}})
}

// ParsePosition reads the file of the position.
func ParsePosition(b []byte) (writes, acked, next, base uint64, end int64, ok bool) {
	writes, p, ok := parsePosition(b)
	return writes, p.acked, p.next, p.last.base, p.last.end, ok
}

// AppendSegmentHeader adds the header of a segment.
func AppendSegmentHeader(b []byte, run Run, first, base uint64, salt uint32) []byte {
	return segmentHeader{run, first, base, base, salt}.append(b)
}

// ParseSegmentHeader reads what AppendSegmentHeader adds.
func ParseSegmentHeader(b []byte) (run Run, first, base uint64, salt uint32, ok bool) {
	h, ok := parseSegmentHeader(b)
	return h.run, h.first, h.base, h.salt, ok
}

// FullSeq is the first sequence after last with this low half.
func FullSeq(last uint64, low uint32) uint64 { return fullSeq(last, low) }

// Checksum is that of a record.
func Checksum(salt uint32, data []byte) uint32 { return checksum(salt, data) }

// Renumbered is what is written for records whose sequences were to begin with one number, and begin with another one.
func Renumbered(salt uint32, planned, first uint64, records [][]byte) []byte {
	g := &group{first: planned, next: planned}
	for _, r := range records {
		g.add(salt, r)
	}
	g.renumber(salt, first)
	if len(g.parts) == 0 {
		return g.buf
	}
	return bytes.Join(g.all(), nil)
}
