package l2cache_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// Whatever is in a file: the walk over it ends, records come in order, and what was written is found, whatever is before, between
// and behind.
func FuzzSegment(f *testing.F) {
	const salt = 0x5a17
	f.Add([]byte("record"), []byte("\xf5\xfa"), uint8(3))
	f.Add([]byte(""), l2cache.AppendHead(nil, salt, 3, 1<<20, 7), uint8(0))
	f.Add([]byte("\xf5\xfa"), bytes.Repeat([]byte("\xf5"), 100), uint8(40))
	f.Fuzz(func(t *testing.T, record, junk []byte, at uint8) {
		var b []byte
		add := func(seq uint64, record []byte) {
			b = l2cache.AppendHead(b, salt, seq, len(record), l2cache.Checksum(salt, record))
			b = append(b, record...)
		}
		add(1, record)
		b = append(b, junk...)
		add(1000, []byte("last"))
		path := filepath.Join(t.TempDir(), "segment")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got := l2cache.Walk(t, path, salt)
		var last uint64
		for _, r := range got {
			if r.Seq <= last {
				t.Fatalf("record %d after %d", r.Seq, last)
			}
			last = r.Seq
		}
		// Junk that holds a whole record of this file, with its salt, is a record.
		if n := len(got); n < 2 || got[0].Seq != 1 || !bytes.Equal(got[0].Data, record) || last < 1000 ||
			n == 2 && (last != 1000 || string(got[1].Data) != "last") {
			t.Fatalf("%d records, the last is %d", n, last)
		}
		// A turned bit costs one record.
		if i := int(at) % (16 + len(record)); true {
			b[i] ^= 1 << (at % 8)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if less := l2cache.Walk(t, path, salt); len(less) < len(got)-1 || len(less) == 0 || less[len(less)-1].Seq != last {
				t.Fatalf("%d records of %d", len(less), len(got))
			}
		}
	})
}

// Headers and positions come out as they went in, and no other bytes pass for one.
func FuzzHeaders(f *testing.F) {
	f.Add(uint32(1), uint64(1), 0, uint32(0), 0)
	f.Add(uint32(7), uint64(1<<40+5), 1<<28, uint32(99), 3)
	f.Fuzz(func(t *testing.T, salt uint32, seq uint64, length int, sum uint32, turned int) {
		length = max(0, length) % (l2cache.MaxRecord + 1)
		b := l2cache.AppendHead(nil, salt, seq, length, sum)
		gotLength, gotSeq, gotSum, ok := l2cache.ParseHead(b, salt)
		if !ok || gotLength != length || gotSeq != uint32(seq) || gotSum != sum {
			t.Fatalf("%d %d %d %v", gotLength, gotSeq, gotSum, ok)
		}
		turned = max(0, turned) % (8 * len(b))
		b[turned/8] ^= 1 << (turned % 8)
		if _, _, _, ok := l2cache.ParseHead(b, salt); ok {
			t.Errorf("bit %d is turned: %x", turned, b)
		}
		position := l2cache.AppendPosition(nil, seq, uint64(length), uint64(length)+1, seq, int64(sum)+1000)
		writes, acked, next, base, end, ok := l2cache.ParsePosition(position)
		if !ok || writes != seq || acked != uint64(length) || next != acked+1 || base != seq || end != int64(sum)+1000 {
			t.Fatalf("position: %d %d %d %d %d %v", writes, acked, next, base, end, ok)
		}
		at := int(sum % uint32(len(position)))
		position[at] ^= 1 << (turned % 8)
		if _, _, next, base, end, ok := l2cache.ParsePosition(position); ok != (at >= 36) || ok && (next != acked+1 || base != 0 || end != 0) {
			t.Errorf("byte %d is turned: %d %d %d %v", at, next, base, end, ok)
		}
		header := l2cache.AppendSegmentHeader(nil, l2cache.Run{1: byte(sum)}, seq, seq+uint64(length), salt)
		run, first, base, gotSalt, ok := l2cache.ParseSegmentHeader(header)
		if ok != (seq > 0 && seq+uint64(length) >= seq) || ok && (run != l2cache.Run{1: byte(sum)} || first != seq || base != seq+uint64(length) || gotSalt != salt) {
			t.Fatalf("segment: %v %d %d %d %v", run, first, base, gotSalt, ok)
		}
	})
}

// The low half of a sequence and the one before it tell which it is, also where the low half begins again.
func TestFullSeq(t *testing.T) {
	for _, c := range []struct{ last, want uint64 }{
		{0, 1}, {1<<32 - 2, 1<<32 - 1}, {1<<32 - 1, 1 << 32}, {1 << 32, 1<<32 + 1}, {1<<33 - 1, 1 << 33}, {5, 1<<32 + 5}, {7<<32 + 9, 8<<32 + 3},
	} {
		if got := l2cache.FullSeq(c.last, uint32(c.want)); got != c.want {
			t.Errorf("after %d: %d, want %d", c.last, got, c.want)
		}
	}
}

// Sequences beyond 32 bits work as the others do.
func TestLargeSequences(t *testing.T) {
	cfg := durable(t)
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const start = 1<<32 - 50
	if err := os.WriteFile(filepath.Join(cfg.Dir, "position"), l2cache.AppendPosition(nil, 1, start-1, start, 0, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	q := open(t, cfg)
	q.putNumbered(0, 100)
	q.close()
	q = open(t, cfg)
	for i, r := range q.all() {
		if r.Seq != start+uint64(i) || string(r.Data) != numbered(i) {
			t.Fatalf("record %d is %d: %q", i, r.Seq, r.Data)
		}
	}
	if q.Next() != start+100 {
		t.Errorf("next is %d", q.Next())
	}
}

// The layout on disk stays what it is: an agent that is upgraded finds what the old one has left.
func TestGolden(t *testing.T) {
	dir := copyDir(t, filepath.Join("testdata", "queue"))
	q := open(t, l2cache.QueueConfig{Dir: dir})
	equal(t, "records", texts(q.all()), []string{"third", "", "fifth"})
	if q.First() != 3 || q.Next() != 6 {
		t.Errorf("first %d, next %d", q.First(), q.Next())
	}
	if r := q.Runs()[0]; r.Run.String() != "000102030405060708090a0b0c0d0e0f" || r.First != 1 || r.Last != 5 {
		t.Errorf("run %v", fmt.Sprint(r))
	}
	q.noLosses()
}
