package logging

import (
	"sync"
	"sync/atomic"
)

// maxPooled is the size up to which a buffer is kept for the next line. A line of 1 MB must not stay in memory for ever.
const maxPooled = 16 << 10

// pool keeps buffers that lines are built in.
type pool struct {
	taken atomic.Bool // whether one is in use
	one   []byte      // is enough for one goroutine, and faster than rest
	rest  sync.Pool
}

// get returns an empty buffer.
func (p *pool) get() *[]byte {
	if p.taken.CompareAndSwap(false, true) {
		return &p.one
	}
	if b, ok := p.rest.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

func (p *pool) put(b *[]byte) {
	if cap(*b) > maxPooled {
		*b = nil
	}
	*b = (*b)[:0]
	if b == &p.one {
		p.taken.Store(false)
	} else {
		p.rest.Put(b)
	}
}
