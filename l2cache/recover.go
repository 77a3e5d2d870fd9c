package l2cache

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"slices"
)

// recovery finds what is in the folder of a queue that is opened.
type recovery struct {
	*Queue
	headless []headless
	rest     string // where what was cut from the end is
}

// headless is a segment without a header.
type headless struct {
	base  uint64
	least uint64 // sequence of the last record that was in it for sure, base-1 when it has room for none
	file  string
}

func (q *recovery) run() error {
	names, err := q.dir.list()
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		base, ok := parseSegmentName(name)
		switch {
		case ok && q.cfg.Volatile:
			err = q.dir.remove(name)
		case ok:
			err = q.segment(name, base)
		case isAside(name):
			if st, err := q.dir.at().Lstat(name); err == nil {
				q.aside.add(name, st.Size())
			}
		}
		if err != nil {
			return err
		}
	}
	if q.cfg.Volatile {
		return q.dir.remove(positionName)
	}
	return q.end()
}

// segment reads the header of a segment. A file without one, or with that of another, is set aside as it is.
func (q *recovery) segment(name string, base uint64) error {
	f, err := q.dir.open(name)
	if err != nil {
		return err
	}
	h, ok, err := readHeader(f)
	var size int64
	if err == nil {
		_, size, err = linked(f)
	}
	f.Close()
	if err != nil {
		return err
	}
	if ok && h.base != base { // somebody has given it another name
		if ok = q.rename(name, segmentName(h.base)) == nil; ok {
			base = h.base
		}
	}
	if ok {
		q.segs = append(q.segs, &segment{segmentHeader: h, end: max(size, segmentPrefix), next: base, size: size})
		return nil
	}
	bad := asideName(base, 0)
	if err := q.rename(name, bad); err != nil && !canOnlyRead(err) {
		return err
	}
	q.aside.add(bad, size)
	least := base - 1
	if size > segmentPrefix {
		least = base
	}
	q.headless = append(q.headless, headless{base, least, bad})
	return nil
}

// rename gives a file another name, unless there is one with it.
func (q *recovery) rename(from, to string) error {
	if _, err := q.dir.at().Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		return fs.ErrExist
	}
	return q.dir.explain(q.dir.at().Rename(from, to))
}

// end finds out where the queue begins, and which sequence comes next. It reports what is missing before, between and after
// the segments.
func (q *recovery) end() error {
	at := q.position.load(q.dir)
	q.acked, q.next = at.acked, at.acked+1
	slices.SortFunc(q.segs, func(a, b *segment) int { return cmp.Compare(a.base, b.base) })
	for i, s := range q.segs {
		q.bytes += s.size
		if i+1 < len(q.segs) {
			s.next = q.segs[i+1].prev
		} else if err := q.scanEnd(s, at); err != nil {
			return err
		}
		q.next = max(q.next, s.next)
	}
	if len(q.segs) > 0 && at.next > 0 {
		q.absent(at.acked+1, q.segs[0].prev)
	}
	for _, h := range q.headless {
		q.loseHeadless(h, at)
	}
	if at.next > q.next {
		q.lose(Loss{From: q.next, To: at.next - 1, Reason: Damaged, File: q.rest})
	}
	if len(q.segs) > 0 {
		q.acked = max(q.acked, q.segs[0].base-1) // also when there was no position
	}
	q.next = max(q.next, at.next)
	q.visible = q.next
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := q.removable(); n > 0 {
		q.detach(n)
		_ = q.sweep() // what cannot be removed now is tried again
	}
	return nil
}

// absent reports records of which there is not even a file.
func (q *recovery) absent(from, next uint64) {
	for _, h := range q.headless {
		if from <= h.base && h.base < next {
			next = h.base
		}
	}
	if from < next {
		q.lose(Loss{From: from, To: next - 1, Reason: Removed})
	}
}

// loseHeadless reports the records of a segment without a header: those up to the next file. A process that is killed when it
// begins a segment leaves one that has none.
func (q *recovery) loseHeadless(h headless, at position) {
	to := h.least
	if at.next > 0 {
		to = max(to, at.next-1)
	}
	for _, s := range slices.Backward(q.segs) {
		if s.base > h.base {
			to = s.prev - 1
		} else {
			s.next = min(s.next, h.base)
			break
		}
	}
	for _, other := range q.headless {
		if other.base > h.base {
			to = min(to, other.base-1)
		}
	}
	if from := max(h.base, at.acked+1); from <= to {
		q.lose(Loss{From: from, To: to, Reason: Damaged, File: q.dir.name(h.file)})
	}
	q.next = max(q.next, to+1)
}

// scanEnd walks over the last segment, from where the position says that it was whole, if it does; what is before is looked at when
// it is read. It cuts what follows the last record, and makes the rest durable: whoever reads it may act upon it.
func (q *recovery) scanEnd(s *segment, at position) error {
	if err := q.use(s); err != nil {
		return err
	}
	defer q.release(s)
	c := cursor{seg: s, off: segmentPrefix, end: s.end, limit: 1<<64 - 1, last: s.base - 1, scan: true}
	if at.last.base == s.base && at.last.end <= s.end && at.next >= s.base {
		c.off, c.last = at.last.end, at.next-1
	}
	end := c.off
	for {
		at := c.off
		seq, _, o, err := c.next()
		if err != nil {
			return q.dir.explain(err)
		}
		if o == found {
			s.note(seq, at)
			end = c.off
			continue
		}
		if o == damaged {
			if _, _, o, err = c.resync(); err != nil {
				return q.dir.explain(err)
			}
		}
		if o != found {
			break
		}
	}
	s.end, s.next = end, c.last+1
	if s.size > end {
		q.keepRest(s, end)
		if err := s.file.Truncate(end); err != nil && !canOnlyRead(err) {
			return q.dir.explain(err)
		}
		s.size = end
	}
	if q.durable() {
		if err := s.sync(); err != nil && !canOnlyRead(err) {
			return err
		}
	}
	return nil
}

// keepRest sets aside what follows the last record, up to the zeros of what the file has got ahead.
func (q *recovery) keepRest(s *segment, end int64) {
	last := end
	b := make([]byte, 64<<10)
	for off := end; off < s.size; {
		n, err := s.file.ReadAt(b[:min(int64(len(b)), s.size-off)], off)
		if rest := bytes.TrimRight(b[:n], "\x00"); len(rest) > 0 {
			last = off + int64(len(rest))
		}
		off += int64(n)
		if err != nil {
			break // what cannot be read cannot be kept
		}
	}
	if last == end {
		return
	}
	if name, n, err := q.setAside(s, end, last, q.makeAside(last-end)); err == nil && name != "" {
		q.aside.add(name, n)
		q.rest = q.dir.name(name)
	}
}

// canOnlyRead tells whether an error says that nothing can be changed: then what there is can be read all the same.
func canOnlyRead(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, os.ErrInvalid) || isReadOnly(err)
}
