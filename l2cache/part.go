package l2cache

import "slices"

// The size of the parts of a buffer: the first ones are smaller, so that a little output takes little memory.
const (
	minPart = 1 << 10
	maxPart = 64 << 10
)

// part is a piece of a buffer, in memory or on disk. The buffer's lock guards what changes; bytes that were written do not.
type part struct {
	off    int64  // of its first byte
	length int64  // bytes that are there
	mem    []byte // nil: on disk

	slot int // on disk
	sums []uint32

	users int  // reads that are under way
	gone  bool // all of it is given back
}

func (p *part) end() int64 { return p.off + p.length }

// tail is the part that is written to, nil when a new one is needed.
func (b *Buffer) tail() *part {
	n := len(b.parts)
	if n == 0 || n == b.onDisk || len(b.parts[n-1].mem) == cap(b.parts[n-1].mem) {
		return nil
	}
	return b.parts[n-1]
}

// append adds bytes to a part that has room for them.
func (b *Buffer) append(t *part, p []byte) {
	t.mem = append(t.mem, p...)
	t.length = int64(len(t.mem))
	b.end += int64(len(p))
	b.signal(&b.wake)
}

// nextSize is the size of the next part.
func (b *Buffer) nextSize() int64 {
	if n := len(b.parts); n > 0 {
		return min(max(4*b.parts[n-1].length, minPart), b.piece)
	}
	return min(minPart, b.piece)
}

// grow begins a new part in memory.
func (b *Buffer) grow() {
	var mem []byte
	if n := len(b.spare); n > 0 {
		mem, b.spare = b.spare[n-1], b.spare[:n-1]
	} else {
		mem = make([]byte, 0, b.nextSize())
	}
	b.parts = append(b.parts, &part{off: b.end, mem: mem[:0]})
	b.memory += int64(cap(mem))
}

// full tells whether there is no memory for the next part.
func (b *Buffer) full() bool {
	return b.slots != nil && b.onDisk < len(b.parts) && b.memory+b.nextSize() > b.cfg.Memory
}

// spill writes the oldest part that is in memory to the disk. When the spool is full, it returns a channel that is closed when
// there may be room. The caller may write, and has the lock, which is given back meanwhile.
func (b *Buffer) spill() (room <-chan struct{}, err error) {
	p := b.parts[b.onDisk]
	if room := b.cfg.Spool.reserve(b.piece); room != nil {
		return room, nil
	}
	mem := p.mem
	p.users++ // so that its memory is not used again
	b.mu.Unlock()
	slot, sums, err := b.slots.write(mem)
	b.mu.Lock()
	p.users--
	if err != nil {
		b.cfg.Spool.giveBack(b.piece)
		b.fault.set(err)
		if p.gone && p.users == 0 {
			b.recycle(p)
		}
		return nil, err
	}
	b.fault.clear()
	if !p.gone {
		b.onDisk++
	}
	b.memory -= int64(cap(mem))
	p.mem, p.slot, p.sums = nil, slot, sums
	if p.users == 0 {
		b.keep(mem)
	}
	if p.gone && p.users == 0 {
		b.mu.Unlock()
		b.giveBack([]int{slot})
		b.mu.Lock()
	}
	return nil, nil
}

// disk is how many bytes of the disk are taken.
func (b *Buffer) disk() int64 { return int64(b.onDisk) * b.piece }

// discard moves the start on, and returns the slots that are to be given back. The caller has the lock.
func (b *Buffer) discard(off int64) (free []int) {
	if off <= b.start {
		return nil
	}
	b.start = off
	b.signal(&b.room)
	for len(b.parts) > 0 && b.parts[0].end() <= off {
		p := b.parts[0]
		if len(b.parts) == 1 && p.mem != nil && p.users == 0 {
			p.off, p.length, p.mem = off, 0, p.mem[:0] // used again, as it is
			break
		}
		p.gone = true
		b.parts[0] = nil
		b.parts = b.parts[1:]
		if b.onDisk > 0 {
			b.onDisk--
		}
		if p.users == 0 {
			free = append(free, b.recycle(p)...)
		}
	}
	return free
}

// recycle takes the memory of a part that is gone, or returns its slot.
func (b *Buffer) recycle(p *part) (free []int) {
	if p.mem == nil {
		return []int{p.slot}
	}
	b.memory -= int64(cap(p.mem))
	b.keep(p.mem)
	p.mem = nil
	return nil
}

// keep keeps memory, which nobody reads any more, for the next part.
func (b *Buffer) keep(mem []byte) {
	if int64(cap(mem)) == b.piece && b.memory+int64(len(b.spare)+1)*b.piece <= b.cfg.Memory {
		b.spare = append(b.spare, mem[:0])
	}
}

// giveBack gives slots back. The caller does not have the lock.
func (b *Buffer) giveBack(free []int) {
	for _, slot := range free {
		b.slots.free(slot)
		b.cfg.Spool.giveBack(b.piece)
	}
}

// find returns the part that has an offset, nil when none has.
func (b *Buffer) find(off int64) *part {
	i, found := slices.BinarySearchFunc(b.parts, off, func(p *part, off int64) int {
		switch {
		case p.end() <= off:
			return -1
		case p.off > off:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return b.parts[i]
}
