package l2cache_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Records are put, and taken out again, by one peer after the other and again: what else the machine does meets all of them. The
// table at the end has the medians.
func BenchmarkQueue(b *testing.B) {
	for _, j := range []job{
		{producers: 1, size: 200, records: 10_000},
		{producers: 1, size: 1 << 10, records: 5_000},
		{producers: 1, size: 64 << 10, records: 300},
		{producers: 64, size: 200, records: 10_000},
		{producers: 64, size: 1 << 10, records: 5_000},
		{producers: 64, size: 64 << 10, records: 300},
		{sync: true, producers: 1, size: 200, records: 50},
		{sync: true, producers: 1, size: 1 << 10, records: 50},
		{sync: true, producers: 1, size: 64 << 10, records: 30},
		{sync: true, producers: 64, size: 200, records: 2_000},
		{sync: true, producers: 64, size: 1 << 10, records: 2_000},
		{sync: true, producers: 64, size: 64 << 10, records: 200},
	} {
		b.Run(j.String(), j.run)
	}
}

// job is what is measured.
type job struct {
	sync      bool
	producers int
	size      int // of a record
	records   int // at a time
}

func (j job) String() string {
	durable := "kernel"
	if j.sync {
		durable = "sync"
	}
	return fmt.Sprintf("%s-%d-%d", durable, j.producers, j.size)
}

func (j job) run(b *testing.B) {
	queues := make([]queue, len(peers))
	for i, p := range peers {
		q, err := p.open(b.TempDir(), j.sync)
		if errors.Is(err, errOnlySync) {
			continue
		}
		if err != nil {
			b.Fatalf("%s: %v", p.name, err)
		}
		defer q.close()
		queues[i] = q
	}
	record := make([]byte, j.size)
	for i := range record {
		record[i] = byte(rand.Uint32())
	}
	for round := 0; b.Loop(); round++ {
		for i := range peers {
			i = (i + round) % len(peers) // nobody is always the one after the same
			p, q := peers[i], queues[i]
			if q == nil {
				continue
			}
			// The first ones are not measured: the journal of the file system has what the one before has left.
			if _, err := j.put(q, record, j.records/4); err != nil {
				b.Fatalf("%s: put: %v", p.name, err)
			}
			put, err := j.put(q, record, j.records)
			if err != nil {
				b.Fatalf("%s: put: %v", p.name, err)
			}
			get, err := j.get(q, j.records+j.records/4)
			if err != nil {
				b.Fatalf("%s: get: %v", p.name, err)
			}
			results.add(j, p, "put", put)
			results.add(j, p, "get", get)
		}
	}
}

// put puts records and returns how long one took.
func (j job) put(q queue, record []byte, records int) (time.Duration, error) {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	begin := time.Now()
	for range j.producers {
		wg.Go(func() {
			for next.Add(1) <= int64(records) {
				if err := q.put(record); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return took / time.Duration(records), nil
}

// get takes the records out and returns how long one took.
func (j job) get(q queue, records int) (time.Duration, error) {
	begin := time.Now()
	for n := 0; n < records; {
		had := n
		if err := q.take(min(takeAtOnce, records-n), func([]byte) { n++ }); err != nil {
			return 0, err
		}
		if n == had {
			return 0, fmt.Errorf("%d of %d records", n, records)
		}
	}
	return time.Since(begin) / time.Duration(records), nil
}
