package l2cache

import "slices"

// turn is who may write to the disk. The queue's lock guards it.
type turn struct {
	taken bool
	line  []chan struct{} // of those that wait, the first is next
}

// take waits for the turn. The lock is given back while waiting.
func (q *Queue) take() {
	if !q.turn.taken {
		q.turn.taken = true
		return
	}
	mine := make(chan struct{})
	q.turn.line = append(q.turn.line, mine)
	q.mu.Unlock()
	<-mine
	q.mu.Lock()
}

// pass gives the turn to the next.
func (q *Queue) pass() {
	if len(q.turn.line) == 0 {
		q.turn.taken = false
		return
	}
	close(q.turn.line[0])
	q.turn.line = slices.Delete(q.turn.line, 0, 1)
}

// Records from this size on are not copied to be written.
const byReference = 16 << 10

// group is what goes to the disk with one write: the records of all who come while another group is written.
type group struct {
	first, next uint64 // sequences
	size        int64
	buf         []byte   // headers and small records
	copied      int      // how much of buf is in parts
	parts       [][]byte // pieces of buf and large records, in order; nil when all is in buf
	done        chan struct{}
	err         error
}

// add appends a record.
func (g *group) add(salt uint32, record []byte) {
	g.buf = appendHead(g.buf, salt, g.next, len(record), checksum(salt, record))
	if len(record) < byReference {
		g.buf = append(g.buf, record...)
	} else {
		g.parts = append(g.parts, g.buf[g.copied:], record)
		g.copied = len(g.buf)
	}
	g.size += int64(headerSize + len(record))
	g.next++
}

// all is what is to be written when there are parts.
func (g *group) all() [][]byte {
	if g.copied < len(g.buf) {
		g.parts = append(g.parts, g.buf[g.copied:])
		g.copied = len(g.buf)
	}
	return g.parts
}

// renumber gives the records the sequences from first on: some before them were refused.
func (g *group) renumber(salt uint32, first uint64) {
	g.first, g.next = first, first
	for off := 0; off < len(g.buf); g.next++ {
		h, _ := parseHead(g.buf[off:], salt)
		appendHead(g.buf[off:off], salt, g.next, h.length, h.sum)
		if off += headerSize; h.length < byReference {
			off += h.length
		}
	}
	// The pieces, every other part, may be of an array that buf has outgrown.
	for i, off := 0, 0; i < len(g.parts); i += 2 {
		n := len(g.parts[i])
		g.parts[i] = g.buf[off : off+n]
		off += n
	}
}

// What a group that is used again may keep in memory.
const spareSize = 64 << 10

// join adds records to the group that is gathered. Who begins a group leads it.
func (q *Queue) join(one []byte, batch [][]byte, size int64) (g *group, leads bool) {
	g = q.gather
	if g == nil {
		g, leads = q.spare, true
		if g == nil {
			g = new(group)
		}
		q.spare = nil
		g.first, g.next = q.next, q.next
		if q.cfg.Sync != SyncEach || q.cfg.Volatile {
			q.gather = g
		}
	} else if g.done == nil {
		g.done = make(chan struct{})
	}
	if batch == nil {
		g.add(q.salt, one)
	}
	for _, r := range batch {
		g.add(q.salt, r)
	}
	q.next = g.next
	if leads {
		size += segmentPrefix // it may need a new segment
	}
	q.pending += size
	return g, leads
}

// lead waits for the turn, writes the group and tells those who have joined it. It returns the sequence of the nth record.
func (q *Queue) lead(g *group, nth uint64) (seq uint64, err error) {
	q.take()
	if q.gather == g {
		q.gather = nil
	}
	if g.first != q.visible {
		g.renumber(q.salt, q.visible)
	}
	err = q.write(g)
	q.pending -= g.size + segmentPrefix
	if err != nil {
		err = q.wrap("put", err)
	} else {
		seq = g.first + nth - 1
		q.stats.Put += g.next - g.first
		q.publish(g.next)
		q.stir()
	}
	if q.pending == 0 {
		q.next = q.visible // what was refused has no sequence
	}
	q.pass()
	if g.done != nil {
		g.err = err
		close(g.done)
	} else if cap(g.buf) <= spareSize {
		clear(g.parts)
		*g = group{buf: g.buf[:0], parts: g.parts[:0]}
		q.spare = g
	}
	return seq, err
}

// write puts a group into the segment that is written to, or a new one. The caller has the turn and the lock, which is given
// back meanwhile.
func (q *Queue) write(g *group) error {
	if err := q.prepare(g); err != nil {
		return err
	}
	s := q.active
	durable := q.syncsPut() || q.syncsLater() && g.size > maxTail
	more := q.ahead(s, g.size)
	q.mu.Unlock()
	more = s.extend(more)
	err := s.write(g)
	if err == nil && durable {
		err = s.sync()
	}
	q.mu.Lock()
	s.size += more
	q.bytes += more
	if err != nil {
		q.cut(s, durable)
		q.fault.set(err)
		return err
	}
	if durable {
		q.stats.Syncs++
	}
	s.note(g.first, s.end)
	s.end += g.size
	if more := s.end - s.size; more > 0 {
		s.size += more
		q.bytes += more
	}
	s.next = g.next
	switch {
	case durable:
		s.synced, s.syncedNext = s.end, s.next
	case q.syncsLater():
		q.remember(g)
	}
	q.fault.clear()
	return nil
}

// syncsPut tells whether each Put waits for a sync.
func (q *Queue) syncsPut() bool { return !q.cfg.Volatile && q.cfg.Sync <= SyncEach }

// write appends a group behind what readers have.
func (s *segment) write(g *group) error {
	if len(g.parts) == 0 {
		return writeAt(s.file, s.fd, g.buf, s.end)
	}
	return writePartsAt(s.file, s.fd, g.all(), s.end)
}

// sync puts on the disk what was written.
func (s *segment) sync() error { return syncFile(s.file, s.fd) }
