package l2cache_test

import (
	"runtime"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// A backlog of hours is on disk alone: memory stays what it was, a queue that has it opens without reading it, and gives all of it,
// in order.
func TestBacklog(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	cfg := durable(t)
	cfg.Sync, cfg.Segment = l2cache.SyncInterval, 1<<20
	q := open(t, cfg)
	before := heap()
	record := make([]byte, 200)
	const n = 200_000
	for range n {
		if _, err := q.Put(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heap() - before; grown > 1<<20 || q.Stats().Disk < n*216 {
		t.Errorf("%d bytes more of memory, %+v", grown, q.Stats())
	}
	q.close()
	q = open(t, cfg)
	if grown := heap() - before; grown > 1<<20 || q.Stats().Records != n {
		t.Errorf("opened: %d bytes more of memory, %+v", grown, q.Stats())
	}
	var batch []l2cache.Record
	for next := uint64(1); next <= n; {
		var err error
		if batch, err = q.PeekBatch(t.Context(), batch[:0], 500, 1<<20); err != nil {
			t.Fatal(err)
		}
		for _, r := range batch {
			if r.Seq != next || len(r.Data) != 200 {
				t.Fatalf("record %d has %d bytes, want %d", r.Seq, len(r.Data), next)
			}
			next++
		}
		q.ack(next - 1)
	}
	if grown := heap() - before; grown > 2<<20 || q.Stats().Segments != 1 {
		t.Errorf("drained: %d bytes more of memory, %+v", grown, q.Stats())
	}
	q.noLosses()
}
