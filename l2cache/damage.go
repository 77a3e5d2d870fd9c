package l2cache

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Damaged bytes are kept in files of their own.
const asideSuffix = ".bad"

// aside are the files that damaged bytes are kept in, the oldest first.
type aside struct {
	names []string
	sizes []int64
	total int64
}

// asideName is the name of the file for what is damaged in a segment, at an offset.
func asideName(base uint64, off int64) string {
	return fmt.Sprintf("%020d-%d%s", base, off, asideSuffix)
}

func (a *aside) add(name string, size int64) {
	a.names, a.sizes, a.total = append(a.names, name), append(a.sizes, size), a.total+size
}

// damage sets bytes of a segment aside, and reports the records that were there. Several readers may come upon the same.
func (q *Queue) damage(s *segment, from, to int64, first, last uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if slices.Contains(s.bad, from) {
		return
	}
	s.bad = append(s.bad, from)
	if first = max(first, q.acked+1); first > last {
		return
	}
	l := Loss{From: first, To: last, Reason: Damaged}
	old := q.makeAside(to - from)
	q.mu.Unlock()
	name, size, err := q.setAside(s, from, to, old)
	q.mu.Lock()
	switch {
	case err != nil:
		q.fault.set(err)
	case size == 0:
		l.Reason = Removed // there is nothing in the file
	case name != "":
		l.File = q.dir.name(name)
		q.aside.add(name, size)
	}
	q.lose(l)
}

// missing reports the records of a file after this one, which was removed while the queue was not open.
func (q *Queue) missing(s *segment, first, last uint64) {
	if first = max(first, q.acked+1); first <= last && !slices.Contains(s.bad, s.end) {
		s.bad = append(s.bad, s.end)
		q.lose(Loss{From: first, To: last, Reason: Removed})
	}
}

// makeAside makes room for damaged bytes, and returns the names of the files that have to go.
func (q *Queue) makeAside(size int64) (old []string) {
	a := &q.aside
	for len(a.names) > 0 && a.total+size > q.cfg.Size/16 {
		old = append(old, a.names[0])
		a.total -= a.sizes[0]
		a.names, a.sizes = a.names[1:], a.sizes[1:]
	}
	return old
}

// setAside copies bytes of a segment into a file of their own, unless they are too many. It returns how many there were.
func (q *Queue) setAside(s *segment, from, to int64, old []string) (name string, size int64, err error) {
	for _, o := range old {
		if err := q.dir.remove(o); err != nil {
			return "", 1, err
		}
	}
	_, there, err := linked(s.file)
	if err != nil {
		return "", 1, err
	}
	size = min(to, there) - from
	if size <= 0 {
		return "", 0, nil
	}
	if size > q.cfg.Size/16 {
		return "", size, nil
	}
	name = asideName(s.base, from)
	f, err := q.dir.create(name)
	if err != nil {
		return "", size, err
	}
	_, err = io.Copy(f, io.NewSectionReader(s.file, from, size))
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		_ = q.dir.remove(name)
		return "", size, err
	}
	return name, size, nil
}

// vanish takes a segment out of the queue whose file somebody has removed.
func (q *Queue) vanish(i int) {
	s := q.segs[i]
	if from := max(s.base, q.acked+1); from < s.next {
		q.lose(Loss{From: from, To: s.next - 1, Reason: Removed})
	}
	q.forget(s)
	q.segs = slices.Delete(q.segs, i, i+1)
	q.listRuns()
}

// isAside tells whether a name is that of a file with damaged bytes.
func isAside(name string) bool {
	digits, ok := strings.CutSuffix(name, asideSuffix)
	return ok && len(digits) > 21 && digits[20] == '-'
}
