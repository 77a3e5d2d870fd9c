package l2cache_test

import (
	"context"

	"github.com/jkstack/jkframe/v2/l2cache"
)

type oursQueue struct {
	*l2cache.Queue
	batch []l2cache.Record
}

func openOurs(dir string, sync bool) (queue, error) { return openOursAs(dir, sync, false) }

// openOursReuse opens a queue that uses the memory of what is acknowledged again.
func openOursReuse(dir string, sync bool) (queue, error) { return openOursAs(dir, sync, true) }

func openOursAs(dir string, sync, reuse bool) (queue, error) {
	cfg := l2cache.QueueConfig{Dir: dir, Size: 1 << 40, Sync: l2cache.SyncNone, Reuse: reuse}
	if sync {
		cfg.Sync = l2cache.SyncGroup
	}
	q, err := l2cache.OpenQueue(cfg)
	return &oursQueue{Queue: q}, err
}

func (q *oursQueue) put(record []byte) error {
	_, err := q.Put(context.Background(), record)
	return err
}

func (q *oursQueue) take(most int, each func([]byte)) error {
	if q.Stats().Records == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel() // what is there is returned all the same
	var err error
	if q.batch, err = q.PeekBatch(ctx, q.batch[:0], most, 1<<20); err != nil {
		if ctx.Err() != nil && q.Stats().Records == 0 {
			return nil
		}
		return err
	}
	for _, r := range q.batch {
		each(r.Data)
	}
	return q.Ack(q.batch[len(q.batch)-1].Seq)
}

func (q *oursQueue) close() error { return q.Close() }
