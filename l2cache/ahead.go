package l2cache

// aheadSize is how many bytes a file that is synced at each write gets ahead. A sync then need not write where the file ends, which
// takes about half of its time, and more when others write to the same file system, whose journal it would wait for.
const aheadSize = 1 << 20

// ahead is how many bytes the file of a segment shall get before size bytes are written to it. The caller has the turn and the
// lock.
func (q *Queue) ahead(s *segment, size int64) int64 {
	if !q.syncsPut() || s.noAhead || s.end+size <= s.size {
		return 0
	}
	n := min(aheadSize, q.cfg.Segment-s.size, q.cfg.Size-q.bytes-q.pending-segmentPrefix)
	if s.size+n < s.end+size {
		return 0
	}
	return n
}

// extend gives the file of a segment n bytes. It returns how many it has got. The caller has the turn.
func (s *segment) extend(n int64) int64 {
	if n == 0 || allocate(s.fd, s.size, n) {
		return n
	}
	s.noAhead = true
	_ = s.file.Truncate(s.size) // a part of them may be there
	return 0
}

// unused is how many bytes are behind the end of the segment that is written to.
func (q *Queue) unused() int64 {
	if s := q.active; s != nil && s.mem == nil {
		return s.size - s.end
	}
	return 0
}

// trim gives back what a file has behind its end. The caller has the turn and the lock, which is given back meanwhile.
func (q *Queue) trim(s *segment) {
	if s == nil || s.file == nil || s.size == s.end || s.suspect {
		return
	}
	q.mu.Unlock()
	err := s.file.Truncate(s.end)
	q.mu.Lock()
	if err == nil {
		q.bytes -= s.size - s.end
		s.size = s.end
	}
}
