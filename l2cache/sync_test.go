package l2cache_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// With an interval the disk is synced within it, once for all, and not while nothing happens.
func TestSyncInterval(t *testing.T) {
	dir := durable(t).Dir
	synctest.Test(t, func(t *testing.T) {
		q := open(t, l2cache.QueueConfig{Dir: dir, Sync: l2cache.SyncInterval, SyncEvery: 10 * time.Second})
		for range 3 {
			q.putNumbered(0, 100)
			before := q.Stats().Syncs
			time.Sleep(10*time.Second + 20*time.Millisecond)
			if s := q.Stats(); s.Syncs != before+1 {
				t.Fatalf("%d syncs in the interval", s.Syncs-before)
			}
		}
		time.Sleep(time.Hour)
		if s := q.Stats(); s.Syncs != 3 {
			t.Errorf("%d syncs without a record", s.Syncs-3)
		}
	})
}

// One sync is for all that wait for one.
func TestSyncGroup(t *testing.T) {
	cfg := durable(t)
	cfg.Sync = l2cache.SyncGroup
	q := open(t, cfg)
	const producers, each = 32, 20
	var wg sync.WaitGroup
	for range producers {
		wg.Go(func() {
			for i := range each {
				q.put(numbered(i))
			}
		})
	}
	wg.Wait()
	if s := q.Stats(); s.Syncs > producers*each/3 || s.Put != producers*each {
		t.Errorf("%+v", s)
	}
}

// Each record has a sync of its own if that is what is asked for.
func TestSyncEach(t *testing.T) {
	cfg := durable(t)
	cfg.Sync = l2cache.SyncEach
	q := open(t, cfg)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { q.putNumbered(0, 5) })
	}
	wg.Wait()
	if s := q.Stats(); s.Syncs != 20 {
		t.Errorf("%+v", s)
	}
}

// What is acknowledged survives the process, at the latest 10 ms later, without a call.
func TestAckIsSaved(t *testing.T) {
	cfg := durable(t)
	synctest.Test(t, func(t *testing.T) {
		q := open(t, cfg)
		q.putNumbered(0, 100)
		time.Sleep(time.Second)
		for i := uint64(1); i <= 50; i++ {
			q.ack(i)
		}
		first := func() uint64 {
			killed := open(t, l2cache.QueueConfig{Dir: copyDir(t, cfg.Dir)})
			defer killed.close()
			return killed.First()
		}
		if got := first(); got < 2 {
			t.Errorf("the first Ack after a while is not saved: the first is %d", got)
		}
		time.Sleep(30 * time.Millisecond)
		if got := first(); got != 51 {
			t.Errorf("the first is %d, want 51", got)
		}
	})
}
