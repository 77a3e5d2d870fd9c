package l2cache

import (
	"fmt"
	"io"
)

// check looks whether the file that is written to is still there and whole. Nobody who writes waits for that; only when it is not
// the turn is taken. The caller has the lock, which is given back meanwhile.
func (q *Queue) check() {
	s := q.active
	if s == nil || s.file == nil || s.suspect {
		return
	}
	end := s.end
	s.users++
	q.mu.Unlock()
	named, size, err := linked(s.file)
	gone := err == nil && !named || q.dir.gone()
	q.mu.Lock()
	q.release(s)
	if !gone && err == nil && size >= end {
		return
	}
	q.take()
	defer q.pass()
	if q.closed || s != q.active || s.suspect {
		return
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
		if len(q.tail) == 0 {
			q.seal() // readers will find what is missing
			break
		}
		s.suspect = true
		_ = q.repair()
	}
}

// repair writes again, into a new file, what the file that is written to may not keep. It was removed: then it can be read as
// long as it is open. Or it could not be synced, after which the kernel takes its pages for written, or throws them away: then
// the tail has what was in them. The caller has the turn and the lock, which is given back meanwhile.
func (q *Queue) repair() error {
	old := q.active
	if old == nil || !old.suspect {
		return nil
	}
	from, base := old.synced, old.syncedNext
	tail := q.tail // nobody who has not the turn changes it
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
		s, err = q.copySegment(old, from, base, tail)
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
	q.forgetTail()
	q.fault.clear()
	return nil
}

// copySegment writes the records of a segment from an offset on, the last of which are in tail, into a new file.
func (q *Queue) copySegment(old *segment, from int64, base uint64, tail []byte) (*segment, error) {
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
	head := old.end - int64(len(tail)) - from
	n, err := io.Copy(io.NewOffsetWriter(s.file, s.end), io.NewSectionReader(old.file, from, head))
	if err == nil && n < head {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = writeAt(s.file, s.fd, tail, s.end+n)
		n += int64(len(tail))
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
