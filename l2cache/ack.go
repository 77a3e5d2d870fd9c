package l2cache

import "fmt"

// Ack acknowledges all records up to and with a sequence: they are not given by Peek any more, and their space is given back
// when the whole segment is acknowledged. What is acknowledged already may be acknowledged again. Within the 10 ms after an
// Ack, later ones are only noted in memory: after a kill -9 in that time their records come once more.
//
// An error of the disk does not take the acknowledgement back; it says that it may not outlive the process.
func (q *Queue) Ack(seq uint64) error {
	defer q.report()
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return q.wrap("acknowledge", ErrClosed)
	}
	if seq >= q.visible {
		return q.wrap("acknowledge", fmt.Errorf("record %d, the last is %d: %w", seq, q.visible-1, ErrAhead))
	}
	q.released.Store(max(q.released.Load(), seq))
	if seq <= q.acked {
		return nil
	}
	return q.wrap("acknowledge", q.advance(seq))
}

// advance moves what is acknowledged on, and removes segments that have nothing else. The caller has the lock, which is given
// back meanwhile.
func (q *Queue) advance(acked uint64) error {
	q.acked = acked
	q.confirmed.Store(acked)
	q.signalRoom()
	if n := q.removable(); n > 0 {
		q.detach(n)
		return q.sweep()
	}
	if q.cfg.Volatile {
		return nil
	}
	fresh := !q.tidying
	q.stir()
	if !fresh {
		return nil // the goroutine that tidies up saves it
	}
	at := q.at()
	q.mu.Unlock()
	err := q.position.save(q.dir, at, false)
	q.mu.Lock()
	return err
}
