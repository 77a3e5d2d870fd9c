package l2cache_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// A volatile queue touches the disk only when its memory is full, and leaves nothing there.
func TestVolatileSpills(t *testing.T) {
	cfg := l2cache.QueueConfig{Dir: durable(t).Dir, Volatile: true, Memory: 64 << 10, Size: 1 << 20}
	q := open(t, cfg)
	record := strings.Repeat("x", 984) // 1000 with its header
	for range 48 {
		q.put(record)
	}
	if size := sizeOf(t, cfg.Dir, "*"); size != 0 || q.Stats().Memory > cfg.Memory {
		t.Errorf("%d bytes on disk, %+v", size, q.Stats())
	}
	for range 500 {
		q.put(record)
	}
	if s := q.Stats(); s.Disk < 400_000 || s.Disk != sizeOf(t, cfg.Dir, "*") || s.Memory > cfg.Memory {
		t.Errorf("%d bytes on disk, %+v", sizeOf(t, cfg.Dir, "*"), s)
	}
	q.ack(548)
	q.put(record)
	if s := q.Stats(); s.Disk != 0 || sizeOf(t, cfg.Dir, "*") != 0 {
		t.Errorf("drained: %d bytes on disk, %+v", sizeOf(t, cfg.Dir, "*"), s)
	}
	for range 500 {
		q.put(record)
	}
	q.close()
	if left, _ := filepath.Glob(filepath.Join(cfg.Dir, "*")); len(left) != 1 || filepath.Base(left[0]) != "lock" {
		t.Errorf("left: %q", left)
	}
}

// What a volatile queue has left behind when its process was killed is removed by the next one.
func TestVolatileLeftovers(t *testing.T) {
	cfg := durable(t)
	q := open(t, cfg)
	q.putNumbered(0, 100)
	q.close()
	cfg.Volatile = true
	q = open(t, cfg)
	if left, _ := filepath.Glob(filepath.Join(cfg.Dir, "*")); len(left) != 1 || q.Stats().Records != 0 || q.Next() != 1 {
		t.Errorf("left: %q, %+v", left, q.Stats())
	}
}

// Memory only: what does not fit at all is too big.
func TestMemoryOnly(t *testing.T) {
	q := open(t, l2cache.QueueConfig{Volatile: true, Memory: 10_000, Full: l2cache.FullRefuse})
	if _, err := q.Put(t.Context(), make([]byte, 10_000)); err == nil || !strings.Contains(err.Error(), "larger than the bound") {
		t.Errorf("%v", err)
	}
	q.put(strings.Repeat("x", 10_000-16))
	if s := q.Stats(); s.Memory != 10_000 || s.Disk != 0 {
		t.Errorf("%+v", s)
	}
	if _, err := os.Stat("lock"); err == nil {
		t.Error("a file in the working directory")
	}
}
