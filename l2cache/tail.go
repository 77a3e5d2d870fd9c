package l2cache

import "slices"

// maxTail is how many bytes SyncInterval leaves in the kernel at most: with more, who writes waits for a sync.
const maxTail = 4 << 20

// syncsLater tells whether what is put is synced after an interval.
func (q *Queue) syncsLater() bool { return !q.cfg.Volatile && q.cfg.Sync == SyncInterval }

// remember keeps what was written and not synced in memory: when the disk fails, the kernel says so once, and may throw away
// what it could not write.
func (q *Queue) remember(g *group) {
	if len(g.parts) == 0 {
		q.tail = append(q.tail, g.buf...)
		return
	}
	for _, p := range g.all() {
		q.tail = append(q.tail, p...)
	}
}

// forgetTail is called when all is on the disk.
func (q *Queue) forgetTail() {
	if cap(q.tail) > spareSize {
		q.tail = nil
	}
	q.tail = q.tail[:0]
}

// syncActive puts on the disk what SyncInterval has left in the kernel, into another file if need be. The caller has the turn
// and the lock, which is given back meanwhile.
func (q *Queue) syncActive() error {
	s := q.active
	if s == nil || len(q.tail) == 0 {
		return nil
	}
	if !s.suspect {
		q.mu.Unlock()
		err := s.sync()
		q.mu.Lock()
		if err == nil {
			s.synced, s.syncedNext = s.end, s.next
			q.stats.Syncs++
			q.forgetTail()
			return nil
		}
		s.suspect = true
		q.fault.set(err)
	}
	return q.repair()
}

// recall helps a reader on that has found something wrong. It gives it what is in the tail, or has it look anew when the
// segment has been written again. It returns false when nothing helps.
func (r *Reader) recall() bool {
	q := r.q
	q.mu.Lock()
	defer q.mu.Unlock()
	c := &r.cur
	s := c.seg
	switch {
	case q.closed:
		return false
	case s.gone || c.end > s.end:
		r.leave()
		return true
	case s != q.active || len(q.tail) == 0 || c.off < s.synced || c.recalled == c.off:
		return false
	}
	c.recalled = c.off
	c.buf = slices.Clone(q.tail[c.off-s.synced : c.end-s.synced])
	return true
}
