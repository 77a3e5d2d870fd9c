package l2cache_test

import (
	"errors"
	"os"
	"time"

	"github.com/joncrlsn/dque"
	"github.com/nsqio/go-diskqueue"
)

type dqueQueue struct{ q *dque.DQue }

// dqueRecord is what dque stores: it wants a struct.
type dqueRecord struct{ Data []byte }

func openDque(dir string, sync bool) (queue, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	q, err := dque.NewOrOpen("queue", dir, 10_000, func() any { return new(dqueRecord) })
	if err == nil && !sync {
		err = q.TurboOn()
	}
	return &dqueQueue{q}, err
}

func (q *dqueQueue) put(record []byte) error { return q.q.Enqueue(&dqueRecord{record}) }

func (q *dqueQueue) take(most int, each func([]byte)) error {
	for range most {
		record, err := q.q.Dequeue()
		if errors.Is(err, dque.ErrEmpty) {
			return nil
		}
		if err != nil {
			return err
		}
		each(record.(*dqueRecord).Data)
	}
	return nil
}

func (q *dqueQueue) close() error { return q.q.Close() }

type diskqueueQueue struct{ q diskqueue.Interface }

func openDiskqueue(dir string, sync bool) (queue, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	every := int64(2500) // as nsqd has it
	if sync {
		every = 1
	}
	silent := func(diskqueue.LogLevel, string, ...any) {}
	return &diskqueueQueue{diskqueue.New("queue", dir, 100<<20, 0, 1<<30, every, 2*time.Second, silent)}, nil
}

func (q *diskqueueQueue) put(record []byte) error { return q.q.Put(record) }

func (q *diskqueueQueue) take(most int, each func([]byte)) error {
	records := q.q.ReadChan()
	for range most {
		select {
		case record := <-records:
			each(record)
			continue
		default:
		}
		patience := time.NewTimer(time.Second) // it does not say when it is empty
		select {
		case record := <-records:
			patience.Stop()
			each(record)
		case <-patience.C:
			return nil
		}
	}
	return nil
}

func (q *diskqueueQueue) close() error { return q.q.Close() }
