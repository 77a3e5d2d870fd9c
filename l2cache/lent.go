package l2cache

// lentSpare is how many bytes of memory that nobody needs are kept for the next records.
const lentSpare = 4 << 20

// lent is the memory that Peek gives records in when it is used again: see QueueConfig.Reuse.
type lent struct {
	given uint64 // sequence of the last record that was given out
	now   []byte // is read into
	used  []piece
	free  [][]byte
	spare int // bytes in free
}

// piece is memory in which records were given out, none after last.
type piece struct {
	mem  []byte
	last uint64
}

// take returns memory to read into. What was read into before is kept for who has records in it.
func (l *lent) take(size int) []byte {
	if l.now != nil {
		l.used = append(l.used, piece{l.now, l.given})
		l.now = nil
	}
	for n := len(l.free); n > 0 && cap(l.now) < size; n-- {
		l.now, l.free = l.free[n-1], l.free[:n-1]
		l.spare -= cap(l.now)
	}
	if cap(l.now) < size {
		l.now = make([]byte, max(size, maxChunk))
	}
	return l.now[:size]
}

// done takes the memory back in which there is no record after a sequence.
func (l *lent) done(seq uint64) {
	n := 0
	for ; n < len(l.used) && l.used[n].last <= seq; n++ {
		if mem := l.used[n].mem; l.spare+cap(mem) <= lentSpare {
			l.free, l.spare = append(l.free, mem), l.spare+cap(mem)
		}
	}
	l.used = append(l.used[:0], l.used[n:]...)
}
