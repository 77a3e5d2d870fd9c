package l2cache_test

import (
	"encoding/binary"
	"path/filepath"
	"sync/atomic"

	"github.com/cockroachdb/pebble"
	"go.etcd.io/bbolt"
)

func key(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// pebbleQueue has records under rising keys; what is taken is deleted.
type pebbleQueue struct {
	db    *pebble.DB
	write *pebble.WriteOptions
	next  atomic.Uint64
	from  uint64
}

// silentLogger has no output.
type silentLogger struct{ pebble.Logger }

func (silentLogger) Infof(string, ...any) {}

func openPebble(dir string, sync bool) (queue, error) {
	db, err := pebble.Open(dir, &pebble.Options{
		Logger: silentLogger{pebble.DefaultLogger}, MemTableSize: 64 << 20, MemTableStopWritesThreshold: 4, MaxOpenFiles: 500,
	})
	if err != nil {
		return nil, err
	}
	q := &pebbleQueue{db: db, write: pebble.NoSync}
	if sync {
		q.write = pebble.Sync
	}
	it, err := db.NewIter(nil)
	if err != nil {
		return nil, err
	}
	if it.Last() {
		q.next.Store(binary.BigEndian.Uint64(it.Key()))
	}
	return q, it.Close()
}

func (q *pebbleQueue) put(record []byte) error {
	return q.db.Set(key(q.next.Add(1)), record, q.write)
}

func (q *pebbleQueue) take(most int, each func([]byte)) error {
	it, err := q.db.NewIter(&pebble.IterOptions{LowerBound: key(q.from)})
	if err != nil {
		return err
	}
	n := 0
	for ok := it.First(); ok && n < most; ok = it.Next() {
		each(it.Value())
		q.from = binary.BigEndian.Uint64(it.Key()) + 1
		n++
	}
	if err := it.Close(); err != nil || n == 0 {
		return err
	}
	return q.db.DeleteRange(key(0), key(q.from), pebble.NoSync)
}

func (q *pebbleQueue) close() error { return q.db.Close() }

// bboltQueue has records under rising keys in one bucket; a transaction is for one record, or those of all who wait.
type bboltQueue struct {
	db   *bbolt.DB
	sync bool
}

var bucket = []byte("queue")

func openBbolt(dir string, sync bool) (queue, error) {
	db, err := bbolt.Open(filepath.Join(dir, "queue.db"), 0o600, &bbolt.Options{NoSync: !sync, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	return &bboltQueue{db, sync}, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
}

func (q *bboltQueue) put(record []byte) error {
	add := func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		b.FillPercent = 1
		seq, err := b.NextSequence()
		if err != nil {
			return err
		}
		return b.Put(key(seq), record)
	}
	if q.sync {
		return q.db.Batch(add)
	}
	return q.db.Update(add)
}

func (q *bboltQueue) take(most int, each func([]byte)) error {
	return q.db.Update(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucket).Cursor()
		n := 0
		for k, v := c.First(); k != nil && n < most; k, v = c.First() {
			each(v)
			if err := c.Delete(); err != nil {
				return err
			}
			n++
		}
		return nil
	})
}

func (q *bboltQueue) close() error { return q.db.Close() }
