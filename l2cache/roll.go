package l2cache

import "slices"

// prepare sees to it that there is a segment for a group: one that has room below the size of a segment, or a new one.
func (q *Queue) prepare(g *group) error {
	if err := q.repair(); err != nil {
		return err
	}
	if len(q.tail) > 0 && int64(len(q.tail))+g.size > maxTail {
		if err := q.syncActive(); err != nil {
			return err
		}
	}
	old := q.active
	if old != nil && old.file != nil && (old.end == old.start() || old.end+g.size <= q.cfg.Segment) {
		return nil
	}
	return q.roll(g.first)
}

// roll begins a new segment file. The caller has the turn and the lock, which is given back meanwhile.
func (q *Queue) roll(base uint64) error {
	if err := q.syncActive(); err != nil {
		return err
	}
	q.trim(q.active)
	prev := q.visible
	q.mu.Unlock()
	s, err := createSegment(q.dir, segmentHeader{q.run, q.first, base, prev, q.salt}, q.durable())
	q.mu.Lock()
	if err != nil {
		q.fault.set(err)
		return err
	}
	q.seal()
	q.push(s)
	q.bytes += s.size
	return nil
}

// durable tells whether the disk is waited for.
func (q *Queue) durable() bool { return !q.cfg.Volatile && q.cfg.Sync != SyncNone }

// push makes a segment the one that is written to. One that has no records and would begin with the same one is replaced.
func (q *Queue) push(s *segment) {
	if n := len(q.segs); n > 0 && q.segs[n-1].base == s.base {
		q.forget(q.segs[n-1])
		q.segs = q.segs[:n-1]
	}
	q.segs = append(q.segs, s)
	q.active = s
}

// seal ends the segment that is written to.
func (q *Queue) seal() {
	if q.active != nil {
		q.release(q.active)
		q.active = nil
	}
}

// forget no longer counts a segment, whose file is gone or will be.
func (q *Queue) forget(s *segment) {
	s.gone = true
	if s.mem != nil {
		q.memory -= s.size
	} else {
		q.bytes -= s.size
	}
}

// use opens the file of a segment for one more user.
func (q *Queue) use(s *segment) error {
	if s.mem == nil && s.file == nil {
		f, err := q.dir.open(segmentName(s.base))
		if err != nil {
			return err
		}
		s.attach(f)
	}
	s.users++
	return nil
}

// release tells that a user is done with a segment.
func (q *Queue) release(s *segment) {
	if s.users--; s.users == 0 && s.file != nil {
		s.file.Close()
		s.file, s.fd = nil, 0
	}
}

// cut takes back what a failed write has left in the segment that is written to. When that cannot be done, or when it is the
// sync that has failed, which leaves the kernel with pages that it takes for written, the segment ends before it, and the
// next one says by its name that what follows there does not count. The caller has the lock and the turn.
func (q *Queue) cut(s *segment, synced bool) {
	err := s.file.Truncate(s.end)
	if err == nil {
		q.bytes -= s.size - s.end
		s.size = s.end
	}
	switch {
	case err != nil && len(q.tail) > 0:
		s.suspect = true
	case err != nil || synced:
		q.seal()
	}
}

// removable is how many segments at the front have nothing that is not acknowledged. The last one stays: its name tells
// which sequence comes next.
func (q *Queue) removable() int {
	n := 0
	for n < len(q.segs)-1 && q.segs[n].next <= q.acked+1 {
		n++
	}
	return n
}

// detach takes the first n segments out of the queue, to be removed.
func (q *Queue) detach(n int) {
	for _, s := range q.segs[:n] {
		if s.mem != nil {
			q.forget(s)
		} else {
			s.gone = true
			q.trash = append(q.trash, s)
		}
	}
	q.segs = slices.Delete(q.segs, 0, n)
	q.listRuns()
}

// at is the position of now.
func (q *Queue) at() position {
	at := position{acked: q.acked, next: q.visible}
	if n := len(q.segs); n > 0 && q.segs[n-1].next == q.visible {
		at.last = place{q.segs[n-1].base, q.segs[n-1].end}
	}
	return at
}

// sweep removes the files of segments that were detached. What cannot be removed now is tried again with the next ones, and
// counts until then. The caller has the lock, which is given back meanwhile.
func (q *Queue) sweep() error {
	if len(q.trash) == 0 {
		return nil
	}
	trash := q.trash
	q.trash = nil
	at := q.at()
	q.mu.Unlock()
	var err error
	if !q.cfg.Volatile {
		err = q.position.save(q.dir, at, q.durable())
	}
	var kept []*segment
	for _, s := range trash {
		if e := q.dir.remove(segmentName(s.base)); e != nil {
			kept = append(kept, s)
			err = e
		}
	}
	q.mu.Lock()
	for _, s := range trash {
		if !slices.Contains(kept, s) {
			q.forget(s)
		}
	}
	q.trash = append(q.trash, kept...)
	if err != nil {
		q.fault.set(err)
	}
	q.signalRoom()
	return err
}

// listRuns finds out which runs there are.
func (q *Queue) listRuns() {
	q.runs = q.runs[:0]
	for _, s := range q.segs {
		if n := len(q.runs); n == 0 || q.runs[n-1].Run != s.run {
			q.runs = append(q.runs, RunRange{Run: s.run, First: s.first})
		}
	}
	if n := len(q.runs); n == 0 || q.runs[n-1].Run != q.run {
		q.runs = append(q.runs, RunRange{Run: q.run, First: q.first})
	}
}
