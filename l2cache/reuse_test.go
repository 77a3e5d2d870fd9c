package l2cache_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// drain takes records out and returns how much memory was allocated meanwhile.
func drain(q *queue, records int) (allocated uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var batch []l2cache.Record
	for n := 0; n < records; {
		var err error
		if batch, err = q.PeekBatch(q.t.Context(), batch[:0], 256, 1<<20); err != nil {
			q.t.Fatal(err)
		}
		n += len(batch)
		q.ack(batch[len(batch)-1].Seq)
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A backlog goes through a few pieces of memory, and each of its records is as it was put for as long as nobody has called Ack for it,
// whatever is peeked meanwhile.
func TestReuse(t *testing.T) {
	cfg := durable(t)
	cfg.Segment = 2 << 20
	random := rand.New(rand.NewPCG(1, 2))
	record := make([]byte, 300<<10)
	for i := range record {
		record[i] = byte(random.Uint32())
	}
	content := func(seq uint64) []byte {
		from := int(seq*7919) % (150 << 10)
		return record[from : from+[]int{0, 200, 3000, 60_000, 65_520, 150_000}[seq%6]]
	}
	q := open(t, cfg)
	const records = 300
	for seq := uint64(1); seq <= records; seq++ {
		if _, err := q.Put(t.Context(), content(seq)); err != nil {
			t.Fatal(err)
		}
	}
	q.close()
	cfg.Reuse = true
	q = open(t, cfg)
	var held []l2cache.Record
	for acked := uint64(0); acked < records; {
		for range 3 {
			batch, err := q.PeekBatch(t.Context(), nil, 1+random.IntN(20), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, batch...)
		}
		last := held[random.IntN(len(held))].Seq
		rest := held[:0]
		for _, r := range held {
			if !bytes.Equal(r.Data, content(r.Seq)) {
				t.Fatalf("record %d of %d bytes is not what was put", r.Seq, len(r.Data))
			}
			if r.Seq > last {
				rest = append(rest, r)
			}
		}
		held, acked = rest, last
		q.ack(acked)
	}
	q.noLosses()
}

// What Reuse is for: a backlog costs next to no new memory.
func TestReuseAllocates(t *testing.T) {
	const records, size = 400, 64 << 10
	for _, reuse := range []bool{false, true} {
		cfg := durable(t)
		cfg.Reuse = reuse
		q := open(t, cfg)
		for range records {
			if _, err := q.Put(t.Context(), make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		}
		if got := drain(q, records); reuse && got > records*size/5 || !reuse && got < records*size {
			t.Errorf("reuse %v: %d bytes of memory for %d of records", reuse, got, records*size)
		}
	}
}

// Records that were dropped while somebody looks at them stay as they are: nobody has called Ack for them.
func TestReuseDropped(t *testing.T) {
	cfg := durable(t)
	cfg.Reuse, cfg.Full, cfg.Size, cfg.Segment = true, l2cache.FullDrop, 1<<20, 64<<10
	q := open(t, cfg)
	fill := func(b byte) {
		for range 30 {
			if _, err := q.Put(t.Context(), bytes.Repeat([]byte{b}, 60_000)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill('a')
	held := q.all()
	for b := byte('b'); b < 'h'; b++ {
		fill(b)
		q.all()
	}
	if q.Stats().Dropped < 150 || len(held) < 10 {
		t.Fatalf("%d held, %+v", len(held), q.Stats())
	}
	for _, r := range held {
		if !bytes.Equal(r.Data, bytes.Repeat([]byte("a"), 60_000)) {
			t.Errorf("record %d is %.10q", r.Seq, r.Data)
		}
	}
}
