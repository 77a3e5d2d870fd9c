package l2cache

// A volatile queue keeps records in pieces of memory of this size, or smaller when the memory is.
const maxPiece = 256 << 10

// piece is the size of the next piece of memory.
func (q *Queue) piece(size int64) int64 {
	return max(size, min(maxPiece, q.cfg.Memory/4))
}

// memoryFits tells whether size bytes can be kept in memory. A queue that has gone over to the disk comes back when half of the
// memory is free.
func (q *Queue) memoryFits(size int64) bool {
	if !q.cfg.Volatile {
		return false
	}
	if s := q.active; s != nil && s.mem != nil && int64(len(s.mem))+size <= s.size {
		return true
	}
	if q.active != nil && q.active.mem == nil && q.memory > q.cfg.Memory/2 {
		return false
	}
	return q.memory+q.piece(size) <= q.cfg.Memory
}

// inMemory tells whether records go into memory: when there is room, and none are on their way to the disk.
func (q *Queue) inMemory(size int64) bool {
	return q.dir == nil || q.pending == 0 && !q.turn.taken && q.memoryFits(size)
}

// keep puts records of size bytes into memory.
func (q *Queue) keep(one []byte, batch [][]byte, size int64) (last uint64) {
	s := q.active
	if s == nil || s.mem == nil || int64(len(s.mem))+size > s.size {
		q.seal()
		s = q.pushMemory(size)
		q.detach(q.removable()) // the end of what was on disk may be
	}
	if batch == nil {
		q.append(s, one)
	}
	for _, r := range batch {
		q.append(s, r)
	}
	last = q.next - 1
	q.publish(q.next)
	_ = q.sweep() // what cannot be removed now is tried again
	return last
}

// append puts a record into a piece of memory that has room for it.
func (q *Queue) append(s *segment, record []byte) {
	s.note(q.next, s.end)
	s.mem = append(appendHead(s.mem, s.salt, q.next, len(record), 0), record...)
	s.end = int64(len(s.mem))
	q.next++
	s.next = q.next
	q.stats.Put++
}

// pushMemory begins a new piece of memory.
func (q *Queue) pushMemory(size int64) *segment {
	n := q.piece(size)
	s := &segment{
		segmentHeader: segmentHeader{q.run, q.first, q.next, q.next, q.salt}, next: q.next, size: n, mem: make([]byte, 0, n), users: 1,
	}
	q.push(s)
	q.memory += n
	return s
}
