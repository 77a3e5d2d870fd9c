package l2cache_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"golang.org/x/sys/unix"
)

// tmpfs mounts a file system with the options on a new folder.
func tmpfs(t *testing.T, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("SKIP: mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all the room that is left on a disk, and returns the file that has it.
func fill(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); ; {
		if _, err := f.Write(block); err != nil {
			return path
		}
	}
}

// leaveRoom gives back some bytes that fill has taken.
func leaveRoom(t *testing.T, filler string, bytes int64) {
	t.Helper()
	st, err := os.Stat(filler)
	if err == nil {
		err = os.Truncate(filler, st.Size()-bytes)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// ledger is what a test has put, and was told that it is there.
type ledger struct {
	accepted map[uint64]string
	refused  []error
	last     error // of the last one
}

// putTo puts a record, which may be refused.
func (l *ledger) putTo(q *queue, record string) {
	seq, err := q.Put(done(), []byte(record))
	l.add(q, seq, record, err)
}

// add notes what Put has returned for a record.
func (l *ledger) add(q *queue, seq uint64, record string, err error) {
	if l.last = err; err != nil {
		l.refused = append(l.refused, err)
		return
	}
	if l.accepted == nil {
		l.accepted = map[uint64]string{}
	}
	if other, twice := l.accepted[seq]; twice {
		q.t.Fatalf("sequence %d is given to %.20q and %.20q", seq, other, record)
	}
	l.accepted[seq] = record
}

// check compares what is in a queue with what was accepted: all of it, nothing else, in order.
func (l *ledger) check(q *queue) {
	q.t.Helper()
	n := 0
	for seq := range l.accepted {
		if seq >= q.First() {
			n++
		}
	}
	records := q.all()
	for _, r := range records {
		if want, ok := l.accepted[r.Seq]; !ok || want != string(r.Data) {
			q.t.Errorf("record %d is %.50q, accepted was %.50q", r.Seq, r.Data, want)
		}
	}
	if len(records) != n {
		q.t.Errorf("%d records, %d were accepted", len(records), n)
	}
	q.noLosses()
}

// The disk is full at any place of a write: what does not go in is refused with the reason, the rest is there, nothing
// is half there, and it goes on when there is room. The same after the process was killed in this state.
func TestDiskFull(t *testing.T) {
	for _, mode := range []l2cache.Sync{l2cache.SyncNone, l2cache.SyncGroup, l2cache.SyncInterval} {
		t.Run(mode.String(), func(t *testing.T) {
			disk := tmpfs(t, "size=256k")
			cfg := l2cache.QueueConfig{Dir: filepath.Join(disk, "queue"), Sync: mode, Segment: 16 << 10}
			q := open(t, cfg)
			var l ledger
			for round := range 6 {
				q.ack(q.Next() - 1)
				for i := range 60 {
					l.putTo(q, strings.Repeat(string(rune('a'+i%26)), 997+round))
					if i == 10 {
						leaveRoom(t, fill(t, disk), 20<<10) // for some records
					}
				}
				if len(l.refused) == 0 || !errors.Is(l.refused[0], syscall.ENOSPC) || !strings.Contains(l.refused[0].Error(), cfg.Dir) {
					t.Fatalf("%d were refused: %v", len(l.refused), l.refused)
				}
				// A tmpfs that is full may have room for some again.
				if s := q.Stats(); (s.Fault != nil) != (l.last != nil) || s.Faults == 0 {
					t.Errorf("the last one: %v, %+v", l.last, s)
				}
				l.check(q)
				killed := open(t, l2cache.QueueConfig{Dir: copyDir(t, cfg.Dir), Sync: mode})
				l.check(killed)
				killed.close()

				remove(t, filepath.Join(disk, "filler"))
				l.refused = nil
				l.putTo(q, "room")
				if len(l.refused) > 0 || q.Stats().Fault != nil {
					t.Errorf("there is room: %v, %+v", l.refused, q.Stats())
				}
				l.check(q)
			}
			q.close()
			l.check(open(t, cfg))
		})
	}
}

// There is no inode for the next segment: what is there stays, and it goes on when there is one.
func TestInodesUsedUp(t *testing.T) {
	disk := tmpfs(t, "size=1m,nr_inodes=7")
	q := open(t, l2cache.QueueConfig{Dir: filepath.Join(disk, "queue"), Sync: l2cache.SyncNone, Segment: 4 << 10})
	var l ledger
	for range 100 {
		l.putTo(q, strings.Repeat("x", 500))
	}
	if len(l.refused) == 0 || !errors.Is(l.refused[0], syscall.ENOSPC) {
		t.Fatalf("%d were refused: %v", len(l.refused), l.refused)
	}
	l.check(q)
	q.ack(20)
	l.refused = nil
	l.putTo(q, "room")
	if len(l.refused) > 0 {
		t.Errorf("there is an inode: %v", l.refused)
	}
	l.check(q)
}

// A disk is read-only when a queue is opened: what is there can be read, what is put is refused, and it goes on when it can be
// written again.
func TestReadOnly(t *testing.T) {
	disk := tmpfs(t, "size=1m")
	remount := func(flags uintptr) {
		if err := unix.Mount("", disk, "", unix.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	cfg := l2cache.QueueConfig{Dir: filepath.Join(disk, "queue"), Sync: l2cache.SyncNone, Segment: 4 << 10}
	q := open(t, cfg)
	var l ledger
	for i := range 20 {
		l.putTo(q, numbered(i))
	}
	q.close()
	remount(unix.MS_RDONLY)
	q = open(t, cfg)
	l.putTo(q, "x")
	if len(l.refused) != 1 || !errors.Is(l.refused[0], syscall.EROFS) {
		t.Fatalf("refused: %v", l.refused)
	}
	l.check(q)
	remount(0)
	l.refused = nil
	l.putTo(q, "y")
	if len(l.refused) > 0 {
		t.Errorf("it can be written: %v", l.refused)
	}
	l.check(q)
	q.ack(q.Next() - 1)
	q.close()
	l.check(open(t, cfg))
}

// The permission to make files is taken away: what is there stays.
func TestPermissionTaken(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("SKIP: root may do everything")
	}
	cfg := durable(t)
	cfg.Segment = 4 << 10
	q := open(t, cfg)
	var l ledger
	chmod := func(mode os.FileMode) {
		if err := os.Chmod(cfg.Dir, mode); err != nil {
			t.Fatal(err)
		}
	}
	chmod(0o500)
	for i := range 200 {
		l.putTo(q, numbered(i))
	}
	if len(l.refused) == 0 || !errors.Is(l.refused[0], fs.ErrPermission) {
		t.Fatalf("%d were refused: %v", len(l.refused), l.refused)
	}
	l.check(q)
	chmod(0o700)
	l.refused = nil
	l.putTo(q, "x")
	if len(l.refused) > 0 {
		t.Errorf("%v", l.refused)
	}
	l.check(q)
}

// Many put while the disk is full: each is told for itself, those that were refused leave no gap, and nobody gets the sequence of
// another one.
func TestDiskFullForMany(t *testing.T) {
	for _, mode := range []l2cache.Sync{l2cache.SyncNone, l2cache.SyncEach, l2cache.SyncGroup} {
		t.Run(mode.String(), func(t *testing.T) {
			disk := tmpfs(t, "size=256k")
			cfg := l2cache.QueueConfig{Dir: filepath.Join(disk, "queue"), Sync: mode, Segment: 16 << 10}
			q := open(t, cfg)
			var mu sync.Mutex
			var l ledger
			putMany := func(each int) {
				var wg sync.WaitGroup
				for i := range 16 {
					wg.Go(func() {
						for j := range each {
							record := strings.Repeat(string(rune('a'+i)), 20+(i*j*501)%20_000)
							seq, err := q.Put(background, []byte(record))
							mu.Lock()
							l.add(q, seq, record, err)
							mu.Unlock()
						}
					})
				}
				wg.Wait()
			}
			for range 3 {
				l.refused = nil
				filler := fill(t, disk)
				leaveRoom(t, filler, 60<<10)
				putMany(20)
				if len(l.refused) == 0 || !errors.Is(l.refused[0], syscall.ENOSPC) {
					t.Fatalf("%d were refused: %v", len(l.refused), l.refused)
				}
				l.check(q)
				for seq := uint64(1); seq < q.Next(); seq++ {
					if _, ok := l.accepted[seq]; !ok {
						t.Errorf("nobody has sequence %d of %d", seq, q.Next())
					}
				}
				remove(t, filler)
				q.ack(q.Next() - 1)
			}
			putMany(2)
			l.check(q)
			q.close()
			l.check(open(t, cfg))
		})
	}
}

// The same with batches of large records, which are written without a copy.
func TestDiskFullForBatches(t *testing.T) {
	disk := tmpfs(t, "size=8m")
	q := open(t, l2cache.QueueConfig{Dir: filepath.Join(disk, "queue"), Sync: l2cache.SyncNone})
	var mu sync.Mutex
	var l ledger
	filler := fill(t, disk)
	leaveRoom(t, filler, 2<<20)
	put := func(texts ...string) {
		var batch [][]byte
		for _, text := range texts {
			batch = append(batch, []byte(text))
		}
		last, err := q.PutBatch(background, batch)
		mu.Lock()
		defer mu.Unlock()
		for i, text := range texts {
			l.add(q, last-uint64(len(texts)-1-i), text, err)
		}
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 5 {
				put(strings.Repeat("too large", 300_000))
				put(strings.Repeat("a", 20_000+i), "b", strings.Repeat("c", 20_000+i), strings.Repeat("d", 20_000))
			}
		})
	}
	wg.Wait()
	if len(l.refused) == 0 || !errors.Is(l.refused[0], syscall.ENOSPC) {
		t.Fatalf("%d were refused: %v", len(l.refused), l.refused)
	}
	l.check(q)
}

// There is not even room to note what is acknowledged: that is said, holds all the same while the queue is open, and is noted when
// there is room.
func TestAckOnFullDisk(t *testing.T) {
	disk := tmpfs(t, "size=64k")
	synctest.Test(t, func(t *testing.T) {
		cfg := l2cache.QueueConfig{Dir: filepath.Join(disk, "queue"), Sync: l2cache.SyncNone}
		q := open(t, cfg)
		filler := fill(t, disk)
		leaveRoom(t, filler, 4<<10)
		q.put("one", "two")
		time.Sleep(20 * time.Millisecond)
		if s := q.Stats(); !errors.Is(s.Fault, syscall.ENOSPC) {
			t.Errorf("%+v", s)
		}
		if err := q.Ack(1); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), cfg.Dir) {
			t.Errorf("acknowledge: %v", err)
		}
		if q.First() != 2 || q.Stats().Records != 1 {
			t.Errorf("first %d, %+v", q.First(), q.Stats())
		}
		remove(t, filler)
		q.put("three")
		time.Sleep(20 * time.Millisecond)
		killed := open(t, l2cache.QueueConfig{Dir: copyDir(t, cfg.Dir)})
		equal(t, "records", texts(killed.all()), []string{"two", "three"})
		killed.noLosses()
		killed.close()
		if q.Stats().Fault != nil {
			t.Errorf("%+v", q.Stats())
		}
	})
}
