package l2cache_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// modes are the configurations that must behave alike while nothing fails.
func modes(t *testing.T) map[string]l2cache.QueueConfig {
	all := map[string]l2cache.QueueConfig{
		"memory":   {Volatile: true},
		"volatile": {Volatile: true, Dir: durable(t).Dir, Memory: 4 << 10, Size: 1 << 20},
	}
	for _, s := range []l2cache.Sync{l2cache.SyncGroup, l2cache.SyncEach, l2cache.SyncInterval, l2cache.SyncNone} {
		cfg := durable(t)
		cfg.Sync, cfg.Size, cfg.Segment = s, 1<<20, 4<<10
		all[s.String()] = cfg
	}
	return all
}

// What is put comes out, in order, and stays until it is acknowledged.
func TestFirstInFirstOut(t *testing.T) {
	for name, cfg := range modes(t) {
		t.Run(name, func(t *testing.T) {
			q := open(t, cfg)
			const n = 300
			for i := range n {
				seq, err := q.Put(t.Context(), []byte(numbered(i)))
				if err != nil || seq != uint64(i+1) {
					t.Fatalf("put %d: sequence %d, %v", i, seq, err)
				}
			}
			for i := range n {
				for range 2 {
					r, err := q.Peek(t.Context())
					if err != nil || string(r.Data) != numbered(i) || r.Seq != uint64(i+1) || r.Run != q.Run() {
						t.Fatalf("peek %d: %d %q, %v", i, r.Seq, r.Data, err)
					}
				}
				q.ack(uint64(i + 1))
			}
			if s := q.Stats(); s.Records != 0 || s.Segments > 1 || s.Put != n || s.Fault != nil {
				t.Errorf("drained: %+v", s)
			}
			if _, err := q.Peek(done()); !errors.Is(err, context.Canceled) {
				t.Errorf("peek at nothing: %v", err)
			}
			q.noLosses()
		})
	}
}

// Batches go in and out whole; records may be empty, or large.
func TestBatches(t *testing.T) {
	for name, cfg := range modes(t) {
		t.Run(name, func(t *testing.T) {
			q := open(t, cfg)
			var want []string
			for i := range 20 {
				var batch [][]byte
				for j := range i {
					batch = append(batch, []byte(numbered(i*j)))
				}
				if i%5 == 4 {
					batch = append(batch, bytes.Repeat([]byte{byte(i)}, 20_000), nil)
				}
				last, err := q.PutBatch(t.Context(), batch)
				for _, r := range batch {
					want = append(want, string(r))
				}
				if err != nil || len(batch) > 0 && last != uint64(len(want)) {
					t.Fatalf("batch %d: sequence %d, %v", i, last, err)
				}
			}
			var got []string
			for i := range 1000 {
				records, err := q.PeekBatch(done(), nil, 1+i%7, 30_000)
				if err != nil {
					break
				}
				if len(records) > 1+i%7 {
					t.Fatalf("%d records, at most %d were asked for", len(records), 1+i%7)
				}
				got = append(got, texts(records)...)
				q.ack(records[len(records)-1].Seq)
			}
			equal(t, "records", got, want)
		})
	}
}

// A batch ends at about the size that was asked for.
func TestBatchSize(t *testing.T) {
	q := open(t, durable(t))
	for range 10 {
		q.put(strings.Repeat("x", 1000))
	}
	for size, want := range map[int]int{0: 1, 1: 1, 1000: 1, 1001: 2, 2500: 3, 1 << 20: 10} {
		records, err := q.PeekBatch(t.Context(), nil, 100, size)
		if err != nil || len(records) != want {
			t.Errorf("%d bytes: %d records, want %d; %v", size, len(records), want, err)
		}
	}
	reader := q.Reader(3)
	defer reader.Close()
	records, err := reader.NextBatch(t.Context(), nil, 100, 2500)
	if err != nil || len(records) != 3 || records[0].Seq != 3 {
		t.Errorf("reader: %d records; %v", len(records), err)
	}
}

// What was put is there after the queue was closed, and what was acknowledged is not. Each opening is a run of its own.
func TestReopen(t *testing.T) {
	cfg := durable(t)
	cfg.Segment = 4 << 10
	var runs []l2cache.Run
	for i := range 5 {
		q := open(t, cfg)
		runs = append(runs, q.Run())
		if got := q.First(); got != uint64(i*60+1) {
			t.Fatalf("opening %d: the first is %d", i, got)
		}
		q.putNumbered(i*100, i*100+100)
		q.ack(uint64(i*60 + 60))
		q.close()
	}
	q := open(t, cfg)
	var want []string
	for i := 300; i < 500; i++ {
		want = append(want, numbered(i))
	}
	records := q.all()
	equal(t, "records", texts(records), want)
	for _, r := range records {
		if r.Run != runs[(r.Seq-1)/100] {
			t.Errorf("record %d is of run %s, want %s", r.Seq, r.Run, runs[(r.Seq-1)/100])
		}
	}
	ranges := q.Runs()
	if last := ranges[len(ranges)-1]; last.Run != q.Run() || last.First != 501 || last.Last != 500 {
		t.Errorf("the last run is %v", last)
	}
	for _, r := range ranges[:len(ranges)-1] {
		i := slices.Index(runs, r.Run)
		if i < 0 || r.First != uint64(i*100+1) || r.Last != uint64(i*100+100) {
			t.Errorf("run %d is %v", i, r)
		}
	}
	slices.SortFunc(runs, func(a, b l2cache.Run) int { return bytes.Compare(a[:], b[:]) })
	if len(slices.Compact(runs)) != 5 {
		t.Errorf("runs with the same name: %v", runs)
	}
}

// Sequences go on even if nothing is left to show where they were.
func TestSequencesGoOn(t *testing.T) {
	cfg := durable(t)
	q := open(t, cfg)
	q.putNumbered(0, 10)
	q.ack(10)
	q.close()
	for i := range 3 {
		q = open(t, cfg)
		if q.Next() != 11 || q.First() != 11 {
			t.Errorf("opening %d: first %d, next %d, want 11", i, q.First(), q.Next())
		}
		q.close()
	}
	q = open(t, cfg)
	q.put("x")
	if r, err := q.Peek(t.Context()); err != nil || r.Seq != 11 {
		t.Errorf("sequence %d, %v", r.Seq, err)
	}
}

// Several readers read at their own pace, none acknowledges, and each follows who writes.
func TestReaders(t *testing.T) {
	for name, cfg := range modes(t) {
		t.Run(name, func(t *testing.T) {
			q := open(t, cfg)
			const n = 400
			var wg sync.WaitGroup
			for from := uint64(1); from < 5; from++ {
				wg.Go(func() {
					r := q.Reader(from)
					defer r.Close()
					for i := from; i <= n; i++ {
						rec, err := r.Next(t.Context())
						if err != nil || rec.Seq != i || string(rec.Data) != numbered(int(i-1)) {
							t.Errorf("reader from %d: record %d is %d %q, %v", from, i, rec.Seq, rec.Data, err)
							return
						}
					}
				})
			}
			q.putNumbered(0, n)
			wg.Wait()
			if s := q.Stats(); s.Records != n {
				t.Errorf("reading has acknowledged: %+v", s)
			}
			r := q.Reader(1)
			defer r.Close()
			q.ack(n - 1)
			if rec, err := r.Next(t.Context()); err != nil || rec.Seq > n {
				t.Errorf("record %d, %v", rec.Seq, err)
			}
			late := q.Reader(0)
			defer late.Close()
			var seq uint64
			for seq != n {
				rec, err := late.Next(done())
				if err != nil || rec.Seq <= seq {
					t.Fatalf("record %d after %d, %v", rec.Seq, seq, err)
				}
				seq = rec.Seq
			}
		})
	}
}

// Many put and one takes: nothing is missing, nothing twice, and each producer's records are in order.
func TestConcurrent(t *testing.T) {
	for name, cfg := range modes(t) {
		t.Run(name, func(t *testing.T) {
			if cfg.Dir != "" {
				cfg.Size = 128 << 10 // so that producers have to wait
				cfg.Segment = 8 << 10
			}
			q := open(t, cfg)
			producers, each := 16, 300
			if cfg.Sync == l2cache.SyncEach {
				each = 20
			}
			var wg sync.WaitGroup
			for p := range producers {
				wg.Go(func() {
					for i := range each {
						if i%10 == 9 {
							if _, err := q.PutBatch(t.Context(), [][]byte{fmt.Appendf(nil, "%d %d", p, i)}); err != nil {
								t.Error(err)
							}
							continue
						}
						if _, err := q.Put(t.Context(), fmt.Appendf(nil, "%d %d", p, i)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			next := make([]int, producers)
			for seq := uint64(0); seq < uint64(producers*each); {
				records, err := q.PeekBatch(t.Context(), nil, 100, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range records {
					seq++
					var p, i int
					fmt.Sscanf(string(r.Data), "%d %d", &p, &i)
					if r.Seq != seq || next[p] != i {
						t.Fatalf("record %d is %d: %q, want %d of this producer", seq, r.Seq, r.Data, next[p])
					}
					next[p]++
				}
				q.ack(seq)
			}
			wg.Wait()
			if s := q.Stats(); s.Records != 0 || s.Segments > 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A consumer that waits is woken by a record, by its context, and by the end of the queue.
func TestWaiting(t *testing.T) {
	for _, read := range []string{"Peek", "Reader"} {
		t.Run(read, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := open(t, l2cache.QueueConfig{Volatile: true})
				r := q.Reader(1)
				defer r.Close()
				next := func(ctx context.Context) (l2cache.Record, error) {
					if read == "Peek" {
						return q.Peek(ctx)
					}
					return r.Next(ctx)
				}
				cause := errors.New("enough")
				ctx, cancel := context.WithCancelCause(t.Context())
				got := make(chan error, 1)
				go func() { _, err := next(ctx); got <- err }()
				synctest.Wait()
				cancel(cause)
				if err := <-got; !errors.Is(err, cause) {
					t.Errorf("the context has ended: %v", err)
				}

				records := make(chan l2cache.Record, 1)
				go func() { rec, _ := next(t.Context()); records <- rec }()
				synctest.Wait()
				q.put("x")
				if rec := <-records; string(rec.Data) != "x" {
					t.Errorf("record %q", rec.Data)
				}
				q.ack(1)

				go func() { _, err := next(t.Context()); got <- err }()
				synctest.Wait()
				q.close()
				if err := <-got; !errors.Is(err, l2cache.ErrClosed) {
					t.Errorf("the queue is closed: %v", err)
				}
			})
		})
	}
}

// What cannot be is an error, not a surprise.
func TestMisuse(t *testing.T) {
	cfg := durable(t)
	cfg.Size = 64 << 10
	q := open(t, cfg)
	q.put("a", "b")
	if err := q.Ack(3); !errors.Is(err, l2cache.ErrAhead) || !strings.Contains(err.Error(), "record 3, the last is 2") {
		t.Errorf("ack of the future: %v", err)
	}
	q.ack(2)
	q.ack(1)
	if _, err := q.Put(t.Context(), make([]byte, 64<<10)); !errors.Is(err, l2cache.ErrTooBig) {
		t.Errorf("a record larger than the queue: %v", err)
	}
	if last, err := q.PutBatch(t.Context(), nil); last != 0 || err != nil {
		t.Errorf("no records: %d, %v", last, err)
	}
	q.close()
	if err := q.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	_, err1 := q.Put(t.Context(), nil)
	_, err2 := q.Peek(t.Context())
	_, err3 := q.Reader(1).Next(t.Context())
	for i, err := range []error{err1, err2, err3, q.Ack(1)} {
		if !errors.Is(err, l2cache.ErrClosed) || !strings.Contains(err.Error(), strconv.Quote(cfg.Dir)) {
			t.Errorf("call %d after Close: %v", i, err)
		}
	}
}

// A reader from 0 on begins with what is there, waits when there is nothing, and hears of the end.
func TestReaderFromZero(t *testing.T) {
	q := open(t, durable(t))
	r := q.Reader(0)
	defer r.Close()
	if _, err := r.Next(done()); !errors.Is(err, context.Canceled) {
		t.Errorf("an empty queue: %v", err)
	}
	q.put("first")
	if rec, err := r.Next(done()); err != nil || rec.Seq != 1 || string(rec.Data) != "first" {
		t.Errorf("%+v, %v", rec, err)
	}
	q.close()
	if _, err := r.Next(background); !errors.Is(err, l2cache.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
