package l2cache_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// Somebody removes the folder, or only the file that is written to, while the queue is open. That is noticed within moments; what
// was in the file is written again, and everything goes on, if need be in a new folder.
func TestRemoved(t *testing.T) {
	for _, what := range []string{"file", "folder"} {
		for _, mode := range []l2cache.Sync{l2cache.SyncNone, l2cache.SyncGroup} {
			t.Run(fmt.Sprint(what, " ", mode), func(t *testing.T) {
				dir := durable(t).Dir
				synctest.Test(t, func(t *testing.T) {
					cfg := l2cache.QueueConfig{Dir: dir, Sync: mode}
					q := open(t, cfg)
					r := q.Reader(1)
					defer r.Close()
					var l ledger
					for i := range 10 {
						l.putTo(q, numbered(i))
					}
					q.ack(3)
					if _, err := r.Next(t.Context()); err != nil {
						t.Fatal(err)
					}
					if what == "file" {
						remove(t, segments(t, dir)[0])
					} else {
						remove(t, dir)
					}
					l.putTo(q, "not noticed yet")
					time.Sleep(20 * time.Millisecond)
					if s := q.Stats(); s.Faults == 0 || s.Fault != nil {
						t.Errorf("%+v", s)
					}
					l.putTo(q, "noticed")
					if len(l.refused) > 0 {
						t.Errorf("refused: %v", l.refused)
					}
					if rec, err := r.Next(t.Context()); err != nil || rec.Seq != 2 && rec.Seq != 4 {
						t.Errorf("the reader goes on with %d, %v", rec.Seq, err)
					}
					l.check(q)
					q.ack(4)
					q.close()
					q = open(t, cfg)
					if q.First() != 5 {
						t.Errorf("the first is %d", q.First())
					}
					l.check(q)
				})
			})
		}
	}
}

// The folder is removed, and cannot be made again: nothing is accepted, what was accepted can be read, and it goes on when the
// folder can be made. A second owner cannot slip in.
func TestFolderStaysAway(t *testing.T) {
	parent := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		cfg := l2cache.QueueConfig{Dir: filepath.Join(parent, "queue"), Sync: l2cache.SyncNone, Segment: 4 << 10}
		q := open(t, cfg)
		var l ledger
		for i := range 100 {
			l.putTo(q, numbered(i))
		}
		sealed := len(segments(t, cfg.Dir)) - 1
		remove(t, cfg.Dir)
		if err := os.WriteFile(cfg.Dir, nil, 0o600); err != nil { // in the way
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		l.putTo(q, "x")
		if len(l.refused) != 1 || !errors.Is(l.refused[0], syscall.ENOTDIR) || q.Stats().Fault == nil {
			t.Fatalf("refused: %v, %+v", l.refused, q.Stats())
		}
		remove(t, cfg.Dir)
		l.refused = nil
		l.putTo(q, "y")
		if len(l.refused) > 0 || q.Stats().Fault != nil {
			t.Fatalf("refused: %v, %+v", l.refused, q.Stats())
		}
		if _, err := l2cache.OpenQueue(cfg); !errors.Is(err, l2cache.ErrLocked) {
			t.Errorf("another owner: %v", err)
		}
		// The sealed segments are gone with the folder, which is said.
		records := q.all()
		lost := q.lost()
		if sealed < 1 || len(lost) != 1 || lost[0].From != 1 || lost[0].To != records[0].Seq-1 || lost[0].Reason != l2cache.Removed {
			t.Fatalf("%d segments, the first record is %d, losses %+v", sealed, records[0].Seq, lost)
		}
		for seq := uint64(1); seq <= lost[0].To; seq++ {
			delete(l.accepted, seq)
		}
		l.check(q)
		q.close()
		l.check(open(t, cfg))
	})
}

// Somebody cuts the file that is written to while the queue is open: what is gone is said, and what follows is there.
func TestCutWhileOpen(t *testing.T) {
	dir := durable(t).Dir
	synctest.Test(t, func(t *testing.T) {
		q := open(t, l2cache.QueueConfig{Dir: dir, Sync: l2cache.SyncNone})
		q.putNumbered(0, 100)
		if err := os.Truncate(segments(t, dir)[0], 1000); err != nil {
			t.Fatal(err)
		}
		q.put("not noticed yet")
		time.Sleep(20 * time.Millisecond)
		q.put("noticed")
		records := q.all()
		n := len(records)
		if n < 5 || string(records[n-1].Data) != "noticed" || string(records[n-2].Data) != "not noticed yet" {
			t.Fatalf("%d records: %.200q", n, texts(records))
		}
		for i, r := range records[:n-2] {
			if string(r.Data) != numbered(i) {
				t.Errorf("record %d is %q", i, r.Data)
			}
		}
		lost := q.lost()
		if len(lost) != 1 || lost[0].From != uint64(n-1) || lost[0].To != 100 {
			t.Errorf("%d records are left, losses: %+v", n, lost)
		}
	})
}

// Somebody cuts, removes or changes files that are not written to any more, while the queue is open: each record is there as it was
// put, or said to be lost.
func TestSealedSegmentsChanged(t *testing.T) {
	cfg := durable(t)
	cfg.Segment = 4 << 10
	q := open(t, cfg)
	q.putNumbered(0, 400)
	paths := segments(t, cfg.Dir)
	if len(paths) < 8 {
		t.Fatalf("%d segments", len(paths))
	}
	change(t, paths[1], func(b []byte) []byte { b[len(b)/2] ^= 0x10; return b })
	if err := os.Truncate(paths[3], 2000); err != nil {
		t.Fatal(err)
	}
	remove(t, paths[5])
	if err := os.Truncate(paths[6], 0); err != nil {
		t.Fatal(err)
	}
	there := map[uint64]bool{}
	for _, r := range q.all() {
		if string(r.Data) != numbered(int(r.Seq-1)) {
			t.Errorf("record %d is %.50q", r.Seq, r.Data)
		}
		there[r.Seq] = true
	}
	lost := map[uint64]bool{}
	for _, l := range q.lost() {
		for seq := l.From; seq <= l.To; seq++ {
			lost[seq] = true
		}
	}
	for seq := uint64(1); seq <= 400; seq++ {
		if there[seq] == lost[seq] {
			t.Errorf("record %d is there: %v, lost: %v", seq, there[seq], lost[seq])
		}
	}
	if len(lost) > 150 || q.Stats().Damaged != uint64(len(lost)) {
		t.Errorf("%d are lost, %+v", len(lost), q.Stats())
	}
	q.ack(400)
	if s := q.Stats(); s.Records != 0 || s.Segments != 1 {
		t.Errorf("drained: %+v", s)
	}
	q.put("goes on")
	equal(t, "records", texts(q.all()), []string{"goes on"})
}
