package l2cache_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// bounds are small queues of each kind.
func bounds(t *testing.T, full l2cache.Full) map[string]l2cache.QueueConfig {
	disk := durable(t)
	disk.Size, disk.Segment, disk.Full = 64<<10, 4<<10, full
	spill := l2cache.QueueConfig{Dir: durable(t).Dir, Volatile: true, Memory: 16 << 10, Size: 64 << 10, Segment: 4 << 10, Full: full}
	return map[string]l2cache.QueueConfig{
		"disk": disk, "memory and disk": spill, "memory": {Volatile: true, Memory: 64 << 10, Full: full},
	}
}

// fill puts numbered records until one does not go in, and returns how many did.
func (q *queue) fill(from int) int {
	q.t.Helper()
	for i := from; ; i++ {
		switch _, err := q.Put(done(), []byte(numbered(i))); {
		case errors.Is(err, l2cache.ErrFull) || errors.Is(err, context.Canceled):
			return i
		case err != nil:
			q.t.Fatal(err)
		}
		if i > 1e6 {
			q.t.Fatal("the queue has no end")
		}
	}
}

// A full queue refuses, and takes again when something was acknowledged. Nothing that it took is lost.
func TestFullRefuses(t *testing.T) {
	for name, cfg := range bounds(t, l2cache.FullRefuse) {
		t.Run(name, func(t *testing.T) {
			q := open(t, cfg)
			put, read := q.fill(0), 0
			if size := cfg.Memory + cfg.Size; int64(put)*64 < size*3/4 { // a record takes 64 bytes and more
				t.Errorf("%d records of %d bytes", put, size)
			}
			for put < 5000 {
				records, err := q.PeekBatch(t.Context(), nil, 100, 1<<20)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range records {
					if string(r.Data) != numbered(read) {
						t.Fatalf("record %d is %q", read, r.Data)
					}
					read++
				}
				q.ack(records[len(records)-1].Seq)
				put = q.fill(put)
			}
			if s := q.Stats(); s.Refused == 0 || s.Records != uint64(put-read) {
				t.Errorf("%d put, %d read, %+v", put, read, s)
			}
			q.noLosses()
		})
	}
}

// Who meets a full queue waits until there is room, or until it has waited long enough.
func TestFullWaits(t *testing.T) {
	for name, cfg := range bounds(t, l2cache.FullWait) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := open(t, cfg)
				put := q.fill(0)
				late := strings.Repeat("late", 50) // larger than all of them
				cause := errors.New("enough")
				ctx, cancel := context.WithCancelCause(t.Context())
				result := make(chan error, 3)
				go func() { _, err := q.Put(ctx, []byte(late)); result <- err }()
				synctest.Wait()
				cancel(cause)
				if err := <-result; !errors.Is(err, cause) {
					t.Fatalf("the context has ended: %v", err)
				}
				for range 3 {
					go func() { _, err := q.Put(t.Context(), []byte(late)); result <- err }()
				}
				synctest.Wait()
				select {
				case err := <-result:
					t.Fatalf("put into a full queue: %v", err)
				default:
				}
				q.ack(uint64(put))
				for range 3 {
					if err := <-result; err != nil {
						t.Fatal(err)
					}
				}
				equal(t, "records", texts(q.all()), []string{late, late, late})

				q.fill(0)
				go func() { _, err := q.Put(t.Context(), []byte(late)); result <- err }()
				synctest.Wait()
				q.close()
				if err := <-result; !errors.Is(err, l2cache.ErrClosed) {
					t.Errorf("the queue is closed: %v", err)
				}
			})
		})
	}
}

// A full queue drops what is oldest, says so, and keeps the rest.
func TestFullDrops(t *testing.T) {
	for name, cfg := range bounds(t, l2cache.FullDrop) {
		t.Run(name, func(t *testing.T) {
			q := open(t, cfg)
			const n = 5000
			var last uint64
			for i := range n {
				q.put(numbered(i))
				for _, l := range q.lost() {
					if l.Reason != l2cache.Dropped || l.From != last+1 || l.To < l.From {
						t.Fatalf("%+v after %d", l, last)
					}
					last = l.To
				}
			}
			first := last + 1
			records := q.all()
			for i, r := range records {
				if r.Seq != first+uint64(i) || string(r.Data) != numbered(int(r.Seq-1)) {
					t.Fatalf("record %d is %q, the first is %d", r.Seq, r.Data, first)
				}
			}
			s := q.Stats()
			if last == 0 || uint64(len(records)) != n-last || s.Dropped != last || q.First() != first {
				t.Errorf("%d records, %d dropped, %+v", len(records), last, s)
			}
			if least := (cfg.Size + cfg.Memory) / 2 / 120; int64(len(records)) < least {
				t.Errorf("only %d records are left, want %d", len(records), least)
			}
		})
	}
}

// A reader in the middle of what is dropped goes on with what is there, and sees from the sequence what it has missed.
func TestReaderIsOvertaken(t *testing.T) {
	for name, cfg := range bounds(t, l2cache.FullDrop) {
		t.Run(name, func(t *testing.T) {
			q := open(t, cfg)
			r := q.Reader(1)
			defer r.Close()
			var read, seq uint64
			for i := range 5000 {
				q.put(numbered(i))
				if i%50 != 0 {
					continue
				}
				rec, err := r.Next(done())
				if err != nil || rec.Seq <= seq || string(rec.Data) != numbered(int(rec.Seq-1)) {
					t.Fatalf("record %d %q after %d, %v", rec.Seq, rec.Data, seq, err)
				}
				seq = rec.Seq
				read++
			}
			if seq < 1000 || read != 100 { // it was overtaken often, and each time it went on
				t.Errorf("%d records, the last is %d", read, seq)
			}
		})
	}
}

// The folder never has more bytes than it may, whatever is put, and one segment when all is acknowledged.
func TestSizeHolds(t *testing.T) {
	for _, full := range []l2cache.Full{l2cache.FullRefuse, l2cache.FullDrop} {
		for _, mode := range []l2cache.Sync{l2cache.SyncNone, l2cache.SyncGroup} {
			t.Run(fmt.Sprint(full, " ", mode), func(t *testing.T) {
				cfg := durable(t)
				cfg.Size, cfg.Full, cfg.Sync = 64<<10, full, mode
				q := open(t, cfg)
				for i := range 300 {
					record := []byte(strings.Repeat("x", (i*i*i)%60_000))
					if _, err := q.Put(done(), record); err != nil && !errors.Is(err, l2cache.ErrFull) {
						t.Fatal(err)
					}
					size := sizeOf(t, q.dir, "*.seg")
					if size > cfg.Size || size != q.Stats().Disk {
						t.Fatalf("%d bytes of %d, Stats say %d", size, cfg.Size, q.Stats().Disk)
					}
					if i%7 == 0 && full == l2cache.FullRefuse {
						q.ack(q.Next() - 1)
						if n := len(segments(t, q.dir)); n > 1 {
							t.Fatalf("%d segments are left", n)
						}
					}
				}
			})
		}
	}
}

// The bound holds when many put at once.
func TestSizeHoldsForMany(t *testing.T) {
	for _, mode := range []l2cache.Sync{l2cache.SyncNone, l2cache.SyncEach} {
		cfg := durable(t)
		cfg.Size, cfg.Segment, cfg.Full, cfg.Sync = 64<<10, 4<<10, l2cache.FullRefuse, mode
		q := open(t, cfg)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 50 {
					if _, err := q.Put(t.Context(), make([]byte, 3000)); err != nil && !errors.Is(err, l2cache.ErrFull) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if size := sizeOf(t, q.dir, "*.seg"); size > cfg.Size || size != q.Stats().Disk {
			t.Errorf("%s: %d bytes of %d, Stats say %d", mode, size, cfg.Size, q.Stats().Disk)
		}
	}
}
