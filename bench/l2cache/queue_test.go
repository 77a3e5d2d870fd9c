package l2cache_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Records are put, the queue is closed, and opened again to take them out, as after a restart; by one peer after the other and again:
// what else the machine does meets all of them. The table at the end has the medians.
func BenchmarkQueue(b *testing.B) {
	for _, j := range []job{
		{producers: 1, size: 200, records: 60_000, get: true},
		{producers: 1, size: 1 << 10, records: 20_000, get: true},
		{producers: 1, size: 64 << 10, records: 400, get: true},
		{producers: 64, size: 200, records: 10_000},
		{producers: 64, size: 1 << 10, records: 5_000},
		{producers: 64, size: 64 << 10, records: 300},
		{sync: true, producers: 1, size: 200, records: 50},
		{sync: true, producers: 1, size: 1 << 10, records: 50},
		{sync: true, producers: 1, size: 64 << 10, records: 30},
		{sync: true, producers: 64, size: 200, records: 2_000},
		{sync: true, producers: 64, size: 1 << 10, records: 1_000},
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
	get       bool
}

func (j job) String() string {
	durable := "kernel"
	if j.sync {
		durable = "sync"
	}
	return fmt.Sprintf("%s-%d-%d", durable, j.producers, j.size)
}

func (j job) run(b *testing.B) {
	record := make([]byte, j.size)
	for i := range record {
		record[i] = byte(rand.Uint32())
	}
	for round := 0; b.Loop(); round++ {
		for i := range peers {
			p := peers[(i+round)%len(peers)] // nobody is always the one after the same
			if p.takes && !j.get {
				continue
			}
			if err := j.measure(p, b.TempDir(), record); err != nil && !errors.Is(err, errOnlySync) {
				b.Fatalf("%s: %v", p.name, err)
			}
		}
	}
}

// measure lets one peer do the job, in a folder of its own.
func (j job) measure(p peer, dir string, record []byte) error {
	q, err := p.open(dir, j.sync)
	if err != nil {
		return err
	}
	// The first ones are not measured: the journal of the file system has what the peer before has left.
	_, err = j.put(q, record, j.records/4)
	if err == nil {
		var took time.Duration
		took, err = j.put(q, record, j.records)
		if !p.takes {
			results.add(j, p, "put", took)
		}
	}
	err = errors.Join(err, q.close())
	if err != nil || !j.get {
		return errors.Join(err, os.RemoveAll(dir))
	}
	begin := time.Now()
	if q, err = p.open(dir, j.sync); err != nil {
		return err
	}
	records := j.records + j.records/4
	err = take(q, records)
	results.add(j, p, "get", time.Since(begin)/time.Duration(records))
	return errors.Join(err, q.close(), os.RemoveAll(dir))
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

// take takes records out.
func take(q queue, records int) error {
	for n := 0; n < records; {
		had := n
		if err := q.take(min(takeAtOnce, records-n), func([]byte) { n++ }); err != nil {
			return err
		}
		if n == had {
			return fmt.Errorf("%d of %d records", n, records)
		}
	}
	return nil
}
