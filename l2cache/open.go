package l2cache

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
)

// OpenQueue opens a queue, and makes it when it is not there. Damage does not keep a queue from opening: what is no record is
// cut from the end, or set aside when it is found on the way. The error says when the folder is in use ([ErrLocked]), or cannot
// be used at all; a folder that can only be read gives a queue whose records can be read.
func OpenQueue(cfg QueueConfig) (*Queue, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("open queue: %w", err)
	}
	q := &Queue{cfg: cfg, kick: make(chan struct{}, 1), done: make(chan struct{}), next: 1}
	var random [20]byte
	rand.Read(random[:]) // never fails
	q.run = Run(random[:16])
	q.salt = binary.LittleEndian.Uint32(random[16:])
	if cfg.Dir != "" {
		if q.dir, err = openFolder(cfg.Dir); err != nil {
			return nil, wrap("open queue", cfg.Dir, err)
		}
		if err := (&recovery{Queue: q}).run(); err != nil {
			q.position.close()
			q.dir.close()
			return nil, q.wrap("open queue", err)
		}
	}
	q.visible, q.first = q.next, q.next
	q.confirmed.Store(q.acked)
	q.listRuns()
	q.head.r = q.Reader(q.acked + 1)
	if cfg.Reuse {
		q.head.r.lent = new(lent)
	}
	if !cfg.Volatile {
		q.work.Go(q.tidy)
	}
	q.report()
	return q, nil
}

// Close ends the queue: what it holds is there for the next one, or gone if it is volatile. Calls that wait return [ErrClosed].
func (q *Queue) Close() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	q.signalRoom()
	q.publish(q.visible)
	q.take() // after those that are in line
	q.trim(q.active)
	err := q.syncActive()
	q.pass()
	at := q.at()
	q.mu.Unlock()
	close(q.done)
	q.work.Wait()

	if !q.cfg.Volatile {
		err = errors.Join(err, q.position.save(q.dir, at, q.durable()))
	}
	q.head.mu.Lock()
	q.mu.Lock()
	q.head.r.leave()
	q.head.ahead = nil
	q.seal()
	if q.cfg.Volatile && q.dir != nil {
		for _, s := range q.segs {
			if s.mem == nil {
				err = errors.Join(err, q.dir.remove(segmentName(s.base)))
			}
		}
	}
	q.segs = nil
	q.mu.Unlock()
	q.head.mu.Unlock()
	q.position.close()
	if q.dir != nil {
		q.dir.close()
	}
	return q.wrap("close", err)
}
