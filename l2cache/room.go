package l2cache

import "context"

// admit waits until there is room for size bytes, or makes it. When there is no error the caller has the lock.
func (q *Queue) admit(ctx context.Context, size int64) error {
	for {
		if q.closed {
			return q.wrap("put", ErrClosed)
		}
		if q.fits(size) {
			return nil
		}
		if q.clearable(size) {
			q.take()
			err := q.clear(size)
			q.pass()
			if err != nil {
				return q.wrap("put", err)
			}
			continue
		}
		if q.cfg.Full == FullRefuse {
			q.stats.Refused++
			return q.wrap("put", ErrFull)
		}
		if err := q.awaitRoom(ctx); err != nil {
			return q.wrap("put", err)
		}
	}
}

// awaitRoom waits until there may be room. The lock is given back while waiting.
func (q *Queue) awaitRoom(ctx context.Context) error {
	if q.room == nil {
		q.room = make(chan struct{})
	}
	room := q.room
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// signalRoom wakes those that wait for room.
func (q *Queue) signalRoom() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// fits tells whether there is room for size bytes, and for the header of a new segment.
func (q *Queue) fits(size int64) bool {
	return q.memoryFits(size) || q.diskFits(size)
}

func (q *Queue) diskFits(size int64) bool {
	return q.dir != nil && q.bytes-q.unused()+q.pending+size+segmentPrefix <= q.cfg.Size
}

// clearable tells whether room can be made: by removing segments that have nothing to say any more, the one that is written
// to included, or by dropping what is oldest.
func (q *Queue) clearable(size int64) bool {
	if len(q.trash) > 0 || q.removable() > 0 {
		return true
	}
	drained := q.acked+1 == q.visible && q.pending == 0
	used := len(q.segs) > 0 && q.segs[len(q.segs)-1].next > q.segs[len(q.segs)-1].base
	return used && (drained || q.cfg.Full == FullDrop)
}

// clear makes room, one segment at a time. The caller has the turn and the lock.
func (q *Queue) clear(size int64) error {
	if q.closed || q.fits(size) {
		return nil
	}
	if len(q.segs) == 1 && q.segs[0].next > q.segs[0].base {
		// The only segment can go when another one carries the name of the next sequence.
		if err := q.succeed(); err != nil {
			return err
		}
	}
	if n := q.removable(); n > 0 {
		q.detach(n)
	} else if q.cfg.Full == FullDrop && len(q.segs) > 1 {
		q.dropOldest()
	}
	return q.sweep()
}

// succeed begins a new segment in the place of the only one.
func (q *Queue) succeed() error {
	if q.dir == nil {
		q.seal()
		q.pushMemory(0)
		return nil
	}
	return q.roll(q.visible)
}

// dropOldest drops the oldest segment with the records in it that nobody has acknowledged.
func (q *Queue) dropOldest() {
	s := q.segs[0]
	if from := max(s.base, q.acked+1); from < s.next {
		q.lose(Loss{From: from, To: s.next - 1, Reason: Dropped})
	}
	q.detach(1)
}
