package l2cache

import (
	"context"
	"slices"
	"sync"
)

// headReader reads what Peek gives.
type headReader struct {
	mu    sync.Mutex // guards what follows
	r     *Reader
	ahead []Record // was read and not acknowledged, in order
}

// Peek returns the oldest record that is not acknowledged, which stays. It waits for it until ctx is done; one that is there
// is returned even if ctx is done.
func (q *Queue) Peek(ctx context.Context) (Record, error) {
	defer q.report()
	for {
		rec, next, err := q.oldest()
		if next == 0 || err != nil {
			return rec, err
		}
		if err := q.wait(ctx, next); err != nil {
			return Record{}, err
		}
	}
}

// PeekBatch adds the oldest records that are not acknowledged to batch: one at least, for which it waits as Peek does, and as
// many more as are there, most records and about size bytes at most.
func (q *Queue) PeekBatch(ctx context.Context, batch []Record, most, size int) ([]Record, error) {
	defer q.report()
	for {
		got, next, err := q.oldestFew(batch, most, size)
		if next == 0 || err != nil {
			return got, err
		}
		if err := q.wait(ctx, next); err != nil {
			return batch, err
		}
	}
}

// oldest returns the oldest record, or the sequence to wait for.
func (q *Queue) oldest() (rec Record, next uint64, err error) {
	h := &q.head
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(q)
	if len(h.ahead) == 0 {
		if ok, err := q.readAhead(); !ok || err != nil {
			return Record{}, h.r.next, err
		}
	}
	return h.ahead[0], 0, nil
}

// oldestFew returns the oldest records, or the sequence to wait for.
func (q *Queue) oldestFew(batch []Record, most, size int) (got []Record, next uint64, err error) {
	h := &q.head
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forget(q)
	n := 0
	for ; n == 0 || n < most && size > 0; n++ {
		if n == len(h.ahead) {
			if ok, err := q.readAhead(); n == 0 && (!ok || err != nil) {
				return batch, h.r.next, err
			} else if !ok {
				break // an error comes again
			}
		}
		size -= len(h.ahead[n].Data)
	}
	return append(batch, h.ahead[:n]...), 0, nil
}

// forget lets go of what is acknowledged.
func (h *headReader) forget(q *Queue) {
	if h.r.lent != nil {
		h.r.lent.done(q.released.Load())
	}
	acked := q.confirmed.Load()
	n := 0
	for n < len(h.ahead) && h.ahead[n].Seq <= acked {
		n++
	}
	switch {
	case n == 0:
	case n == len(h.ahead):
		clear(h.ahead)
		h.ahead = h.ahead[:0]
	default:
		clear(h.ahead[:n])
		h.ahead = h.ahead[n:]
	}
	if r := h.r; r.next <= acked {
		r.next = acked + 1
		if r.cur.seg != nil && r.next >= r.cur.limit {
			q.mu.Lock()
			r.leave()
			q.mu.Unlock()
		}
	}
}

// readAhead reads one more record. When none is left, and all that was read is acknowledged, nothing will come of what is not:
// it counts as acknowledged, so that its space is given back.
func (q *Queue) readAhead() (bool, error) {
	h := &q.head
	rec, ok, err := h.r.try()
	if ok {
		h.ahead = append(h.ahead, rec)
		if h.r.lent != nil {
			h.r.lent.given = rec.Seq
		}
	}
	if ok || err != nil {
		return ok, err
	}
	if len(h.ahead) == 0 {
		q.mu.Lock()
		if last := q.visible - 1; last > q.acked && !q.closed && !q.holds(h.r.next) {
			err = q.advance(last)
		}
		q.mu.Unlock()
	}
	return false, err
}

// holds tells whether there may be a record with a sequence, or one after it.
func (q *Queue) holds(seq uint64) bool {
	return slices.ContainsFunc(q.segs, func(s *segment) bool { return s.next > seq })
}
