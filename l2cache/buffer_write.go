package l2cache

import "context"

// Write adds bytes at the end, as [Buffer.WriteContext] without a context does.
func (b *Buffer) Write(p []byte) (n int, err error) { return b.WriteContext(context.Background(), p) }

// WriteContext adds bytes at the end. The bytes of one call are next to each other, whoever else writes. While there is no room
// it waits until ctx is done, if it shall. It returns how many bytes were taken, and an error when these are not all; bytes that
// [FullDiscard] throws away count as taken. After an error of the disk, the next call tries again.
func (b *Buffer) WriteContext(ctx context.Context, p []byte) (n int, err error) {
	if b.writeFast(p) {
		return len(p), nil
	}
	if err := b.enter(ctx, b.writing); err != nil {
		return 0, b.wrap("write", err)
	}
	defer func() { <-b.writing }()
	b.mu.Lock()
	defer b.mu.Unlock()
	for err == nil && n < len(p) {
		var m int
		m, err = b.add(ctx, p[n:])
		n += m
	}
	return n, b.wrap("write", err)
}

// writeFast adds bytes if there is room for all of them where the last ones are, and nobody else writes.
func (b *Buffer) writeFast(p []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tail()
	if t == nil || b.ended || b.cut || len(b.writing) > 0 || len(p) > cap(t.mem)-len(t.mem) || b.free() < int64(len(p)) {
		return false
	}
	b.append(t, p)
	return true
}

// free is how many bytes more the buffer may have.
func (b *Buffer) free() int64 { return b.cfg.Size - (b.end - b.start) }

// add adds some of the bytes, or waits until it can. The caller may write, and has the lock, which is given back meanwhile.
func (b *Buffer) add(ctx context.Context, p []byte) (n int, err error) {
	if b.ended {
		return 0, ErrClosed
	}
	if b.cut {
		b.stats.Discarded += int64(len(p))
		return len(p), nil
	}
	if b.free() == 0 {
		return 0, b.makeRoom(ctx, min(int64(len(p)), b.cfg.Size), nil)
	}
	t := b.tail()
	if t == nil {
		if b.full() {
			room, err := b.spill()
			if err == nil && room == nil {
				return 0, nil
			}
			if b.cfg.Full == FullDiscard {
				b.cut = true
				return 0, nil
			}
			if err != nil {
				return 0, err
			}
			return 0, b.makeRoom(ctx, b.parts[0].end()-b.start, room)
		}
		b.grow()
		t = b.tail()
	}
	n = min(len(p), cap(t.mem)-len(t.mem), int(min(b.free(), maxPart)))
	b.append(t, p[:n])
	return n, nil
}

// makeRoom does what shall be done when there is no room for some bytes: it waits for a signal, here or from the spool, drops
// the oldest ones, begins to discard, or returns ErrFull. The caller has the lock, which is given back meanwhile.
func (b *Buffer) makeRoom(ctx context.Context, size int64, room <-chan struct{}) error {
	switch b.cfg.Full {
	case FullRefuse:
		return ErrFull
	case FullDiscard:
		b.cut = true
		return nil
	case FullDrop:
		b.stats.Dropped += size
		free := b.discard(b.start + size)
		b.mu.Unlock()
		b.giveBack(free)
		b.mu.Lock()
		return nil
	}
	return b.wait(ctx, &b.room, room)
}
