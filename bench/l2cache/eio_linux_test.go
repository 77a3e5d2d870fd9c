package l2cache_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/bench/internal/faultfs"
	"github.com/jkstack/jkframe/v2/l2cache"
)

// The disk dies at the sync and throws away what it did not write: what Put has accepted is there nevertheless, while the disk is
// dead and when it is back, also for who opens the queue then; what was refused is not.
func TestDiskDies(t *testing.T) {
	for _, mode := range []l2cache.Sync{l2cache.SyncGroup, l2cache.SyncEach, l2cache.SyncInterval} {
		t.Run(mode.String(), func(t *testing.T) {
			disk := faultfs.Mount(t)
			cfg := l2cache.QueueConfig{Dir: filepath.Join(disk.Dir(), "queue"), Sync: mode, SyncEvery: 50 * time.Millisecond}
			cfg.OnLoss = func(l l2cache.Loss) { t.Errorf("lost: %+v", l) }
			q := openQueue(t, cfg)
			var accepted []string
			put := func() error {
				record := fmt.Sprintf("%d after %d", len(accepted), time.Now().UnixNano())
				_, err := q.Put(t.Context(), []byte(record))
				if err == nil {
					accepted = append(accepted, record)
				}
				return err
			}
			check := func(when string) {
				t.Helper()
				now, cancel := context.WithCancel(t.Context())
				cancel()
				records, err := q.PeekBatch(now, nil, len(accepted)+1, 1<<30)
				if err != nil {
					t.Fatalf("%s: %v", when, err)
				}
				if len(records) != len(accepted) {
					t.Fatalf("%s: %d records, %d were accepted", when, len(records), len(accepted))
				}
				for i, r := range records {
					if string(r.Data) != accepted[i] {
						t.Fatalf("%s: record %d is %q, want %q", when, i, r.Data, accepted[i])
					}
				}
			}
			const some = 100
			for range some {
				if err := put(); err != nil {
					t.Fatal(err)
				}
			}
			disk.FailSyncs(syscall.EIO)
			var err error
			for err == nil { // with SyncInterval, until the first one that comes after a sync
				err = put()
			}
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("refused with %v", err)
			}
			if q.Stats().Fault == nil {
				t.Error("the queue says that all is well")
			}
			check("the disk is dead")
			if err := put(); !errors.Is(err, syscall.EIO) {
				t.Errorf("refused again with %v", err)
			}
			disk.FailSyncs(0)
			for range some {
				if err := put(); err != nil {
					t.Fatal(err)
				}
			}
			if s := q.Stats(); s.Fault != nil || s.Faults == 0 {
				t.Errorf("the disk is back: %+v", s)
			}
			check("the disk is back")
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
			q = openQueue(t, cfg)
			check("opened again")
		})
	}
}

func openQueue(t *testing.T, cfg l2cache.QueueConfig) *l2cache.Queue {
	t.Helper()
	q, err := l2cache.OpenQueue(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}
