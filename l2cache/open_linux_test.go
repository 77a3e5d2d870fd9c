package l2cache_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A queue that has much opens at once: what was there when the position was saved is not read before somebody asks for it, be it that
// the queue was closed, or that the process was killed.
func TestOpenReadsLittle(t *testing.T) {
	cfg := durable(t)
	killed := filepath.Join(t.TempDir(), "queue")
	synctest.Test(t, func(t *testing.T) {
		q := open(t, cfg)
		for range 1000 {
			q.put(strings.Repeat("x", 10_000))
		}
		q.close()
		q = open(t, cfg)
		for range 1000 {
			q.put(strings.Repeat("y", 10_000))
		}
		time.Sleep(20 * time.Millisecond) // the position is saved
		if err := os.CopyFS(killed, os.DirFS(cfg.Dir)); err != nil {
			t.Fatal(err)
		}
		q.close()
	})
	for _, dir := range []string{cfg.Dir, killed} {
		cfg.Dir = dir
		before := bytesRead(t)
		q := open(t, cfg)
		if n := bytesRead(t) - before; n > 1<<20 {
			t.Errorf("%d bytes were read", n)
		}
		if records := q.all(); len(records) != 2000 || len(records[0].Data) != 10_000 || records[1999].Data[0] != 'y' {
			t.Errorf("%d records", len(records))
		}
		q.noLosses()
		q.close()
	}
}

// bytesRead is how many bytes this process has read.
func bytesRead(t *testing.T) (n int64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skipf("SKIP: %v", err)
	}
	if _, err := fmt.Sscanf(string(b), "rchar: %d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}
