package l2cache

import (
	"fmt"
	"io"
)

// check looks whether the file that is written to is still there and whole. Nobody who writes waits for that; only when it is not
// the turn is taken, and true returned. The caller has the lock, which is given back meanwhile.
func (q *Queue) check() (found bool) {
	s := q.active
	if s == nil || s.file == nil || s.suspect {
		return false
	}
	end := s.end
	s.users++
	q.mu.Unlock()
	named, size, err := linked(s.file)
	gone := err == nil && !named || q.dir.gone()
	q.mu.Lock()
	q.release(s)
	if !gone && err == nil && size >= end {
		return false
	}
	q.take()
	defer q.pass()
	if q.closed || s != q.active || s.suspect {
		return false
	}
	switch {
	case gone:
		s.suspect = true
		q.fault.set(fmt.Errorf("%s: %w", q.dir.name(segmentName(s.base)), ErrGone))
		_ = q.repair() // else the next Put tries again
	case err != nil:
		q.fault.set(err)
	case size < s.end:
		q.fault.set(fmt.Errorf("%s has %d of %d bytes: %w", q.dir.name(segmentName(s.base)), size, s.end, ErrGone))
		q.seal() // readers will find what is missing
	}
	return true
}

// syncActive puts on the disk what SyncInterval has left in the kernel. It returns false when that has failed.
func (q *Queue) syncActive() bool {
	s := q.active
	if s == nil || s.suspect {
		return true
	}
	end, next := s.end, s.next
	q.mu.Unlock()
	err := s.sync()
	q.mu.Lock()
	if err != nil {
		s.suspect = true
		q.fault.set(err)
		_ = q.repair()
		return false
	}
	s.synced, s.syncedNext = end, next
	q.stats.Syncs++
	q.unsynced = false
	return true
}

// repair writes again, into a new file, what the file that is written to may not keep: it was removed, or could not be synced,
// after which the kernel takes its pages for written. They can be read as long as the file is open. The caller has the turn
// and the lock, which is given back meanwhile.
func (q *Queue) repair() error {
	old := q.active
	if old == nil || !old.suspect {
		return nil
	}
	from, base := old.synced, old.syncedNext
	q.mu.Unlock()
	gone := q.dir.gone()
	if named, _, err := linked(old.file); gone || err == nil && !named {
		from, base = segmentPrefix, old.base
	}
	var err error
	if gone {
		if err = q.dir.renew(); err == nil {
			q.position.again()
		}
	}
	var s *segment
	if err == nil {
		s, err = q.copySegment(old, from, base)
	}
	q.mu.Lock()
	if err != nil {
		q.fault.set(err)
		return err
	}
	q.replace(old, s, from, base)
	if gone {
		for i := len(q.segs) - 2; i >= 0; i-- {
			q.vanish(i)
		}
	}
	q.unsynced = false
	q.fault.clear()
	return nil
}

// copySegment writes the records of a segment from an offset on into a new file.
func (q *Queue) copySegment(old *segment, from int64, base uint64) (*segment, error) {
	header := old.segmentHeader
	if header.base != base {
		header.base, header.prev = base, base
	}
	if base == old.base {
		// The new file takes the place of the old one, if that is there.
		if err := q.dir.remove(segmentName(base)); err != nil {
			return nil, err
		}
	}
	s, err := createSegment(q.dir, header, q.durable())
	if err != nil {
		return nil, err
	}
	n, err := io.Copy(io.NewOffsetWriter(s.file, s.end), io.NewSectionReader(old.file, from, old.end-from))
	if err == nil && n < old.end-from {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && q.durable() {
		err = s.sync()
	}
	if err != nil {
		s.file.Close()
		_ = q.dir.remove(segmentName(base))
		return nil, err
	}
	s.end += n
	s.size, s.next = s.end, old.next
	s.synced, s.syncedNext = s.end, s.next
	return s, nil
}

// replace puts a copy in the place of what follows an offset of the segment that is written to.
func (q *Queue) replace(old, s *segment, from int64, base uint64) {
	for _, m := range old.marks {
		if m.seq >= base {
			s.marks = append(s.marks, mark{m.seq, m.off - from + segmentPrefix})
		}
	}
	q.seal()
	if base > old.base {
		q.bytes -= old.size - from
		old.end, old.next, old.size = from, base, from
	}
	q.push(s)
	q.bytes += s.size
}
