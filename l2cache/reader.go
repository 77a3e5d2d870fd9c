package l2cache

import (
	"context"
	"errors"
	"io/fs"
)

// Reader reads records from a sequence on, and acknowledges none. It goes on behind what has been acknowledged or lost; who
// needs every record sees by the sequence that some are not there. It is not safe for concurrent use; any number of readers
// may be used side by side.
type Reader struct {
	q    *Queue
	next uint64 // the record with this sequence, or the first after it, is wanted
	cur  cursor
	lent *lent // nil: the records stay
}

// Reader returns a reader that begins with the record with a sequence, or with the first one that is there after it: 0 is
// the oldest that there is.
func (q *Queue) Reader(from uint64) *Reader { return &Reader{q: q, next: max(from, 1)} } // sequences begin with 1

// Next returns the next record. It waits for it until ctx is done; one that is there is returned even if ctx is done.
func (r *Reader) Next(ctx context.Context) (Record, error) {
	defer r.q.report()
	for {
		rec, ok, err := r.try()
		if ok || err != nil {
			return rec, err
		}
		if err := r.q.wait(ctx, r.next); err != nil {
			return Record{}, err
		}
	}
}

// NextBatch adds the next records to batch: one at least, for which it waits as Next does, and as many more as are there, most
// records and about size bytes at most.
func (r *Reader) NextBatch(ctx context.Context, batch []Record, most, size int) ([]Record, error) {
	rec, err := r.Next(ctx)
	for n := 0; err == nil; {
		batch = append(batch, rec)
		n++
		if size -= len(rec.Data); n >= most || size <= 0 {
			break
		}
		var ok bool
		if rec, ok, err = r.try(); !ok {
			return batch, nil // an error comes again
		}
	}
	return batch, err
}

// Close ends the reader.
func (r *Reader) Close() {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	r.leave()
}

// try returns the next record if there is one.
func (r *Reader) try() (Record, bool, error) {
	for {
		if r.cur.seg == nil {
			if ok, err := r.enter(); !ok || err != nil {
				return Record{}, false, err
			}
		}
		seq, data, o, err := r.cur.next()
		switch {
		case (err != nil || o == damaged) && r.recall():
			continue
		case err != nil:
			return Record{}, false, r.q.wrap("read", err)
		case o == found && seq >= r.next:
			r.next = seq + 1
			return Record{seq, r.cur.seg.run, data}, true, nil
		case o == damaged:
			if err := r.pass(); err != nil {
				return Record{}, false, r.q.wrap("read", err)
			}
		case o == atEnd:
			if !r.more() {
				return Record{}, false, nil
			}
		}
	}
}

// enter finds the segment that has the record that is wanted, or the first after it.
func (r *Reader) enter() (bool, error) {
	q := r.q
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, q.wrap("read", ErrClosed)
	}
	for i := 0; i < len(q.segs); i++ {
		s := q.segs[i]
		if s.next <= r.next {
			continue
		}
		err := q.use(s)
		if err == nil {
			r.next = max(r.next, s.base)
			at := s.near(r.next)
			r.cur = cursor{seg: s, off: at.off, end: s.end, limit: s.next, last: at.seq - 1, mem: s.mem, lent: r.lent}
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, q.wrap("read", err)
		}
		// Somebody has removed the file.
		if s != q.active {
			q.vanish(i)
			i--
		}
	}
	return false, nil
}

// more sees whether a segment has grown, or whether there is another one. The reader is at the end of what it knew.
func (r *Reader) more() bool {
	q := r.q
	q.mu.Lock()
	defer q.mu.Unlock()
	s := r.cur.seg
	if !s.gone && s.end > r.cur.end {
		r.cur.end, r.cur.limit, r.cur.mem = s.end, s.next, s.mem
		return true
	}
	if !s.gone && s == q.active || q.closed {
		return false
	}
	if !s.gone {
		if last := r.cur.last; last+1 < s.next {
			q.missing(s, last+1, s.next-1)
		}
		r.next = max(r.next, s.next)
	}
	r.leave()
	return true
}

// leave gives the segment back. The caller has the lock.
func (r *Reader) leave() {
	if r.cur.seg != nil {
		r.q.release(r.cur.seg)
		r.cur = cursor{}
	}
}

// pass goes on behind damage, and reports it.
func (r *Reader) pass() error {
	last := r.cur.last
	from, to, o, err := r.cur.resync()
	if err != nil {
		r.cur.off, r.cur.buf = from, nil // to be tried again
		return err
	}
	next := r.cur.limit
	if o == found {
		h, _, _ := r.cur.head()
		next = fullSeq(last, h.seq)
	}
	r.q.damage(r.cur.seg, from, to, last+1, next-1)
	r.next = max(r.next, next)
	r.cur.last = next - 1
	return nil
}
