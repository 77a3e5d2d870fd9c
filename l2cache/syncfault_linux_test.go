package l2cache_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// ext4 makes a file system in a file of a tmpfs that has not room for all of it: when the tmpfs is full, writing to the disk
// fails. Files of the system are fine until they are synced, as on a real disk that dies.
func ext4(t *testing.T) (dir, backing string) {
	t.Helper()
	backing = tmpfs(t, "size=12m")
	image := filepath.Join(backing, "image")
	dir = t.TempDir()
	for _, command := range [][]string{
		{"truncate", "-s", "64M", image},
		{"mkfs.ext4", "-q", "-b", "4096", "-O", "^has_journal", "-E", "lazy_itable_init=1", image},
		{"mount", "-o", "loop,errors=continue", image, dir},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("SKIP: %s: %v: %s", command, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir, backing
}

// The disk fails at the sync: nothing is acknowledged that is not on it, and it goes on when the disk works again. (Of
// SyncInterval that is tested on a file system of our own, in bench: this one, which has no journal, then also loses what it
// said to have synced.)
func TestSyncFails(t *testing.T) {
	for _, mode := range []l2cache.Sync{l2cache.SyncGroup, l2cache.SyncEach} {
		t.Run(mode.String(), func(t *testing.T) {
			disk, backing := ext4(t)
			cfg := l2cache.QueueConfig{Dir: filepath.Join(disk, "queue"), Sync: mode}
			q := open(t, cfg)
			var l ledger
			record := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), 4000) }
			for i := range 10 {
				l.putTo(q, record(i))
			}
			fill(t, backing)
			for i := 10; i < 2000 && len(l.refused) < 3; i++ {
				l.putTo(q, record(i))
			}
			if len(l.refused) < 3 || !errors.Is(l.refused[0], syscall.EIO) && !errors.Is(l.refused[0], syscall.ENOSPC) {
				t.Fatalf("%d accepted, refused: %v", len(l.accepted), l.refused)
			}
			if s := q.Stats(); s.Fault == nil || s.Faults == 0 {
				t.Errorf("%+v", s)
			}
			l.check(q)
			remove(t, filepath.Join(backing, "filler"))
			l.refused = nil
			for i := range 10 {
				l.putTo(q, record(i))
			}
			if len(l.refused) > 0 || q.Stats().Fault != nil {
				t.Errorf("the disk works: %v, %+v", l.refused, q.Stats())
			}
			l.check(q)
			q.close()
			// What is read now comes from the disk.
			if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte("1"), 0o200); err != nil {
				t.Logf("the cache is not emptied: %v", err)
			}
			l.check(open(t, cfg))
		})
	}
}
