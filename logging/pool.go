package logging

import (
	"sync"
	"sync/atomic"
)

// maxPooled is the size up to which a buffer is kept for the next line. A line of 1 MB must not stay in memory for ever.
const maxPooled = 16 << 10

// pool keeps buffers that lines are built in.
type pool struct {
	one  atomic.Pointer[[]byte] // is enough for one goroutine, and faster than rest
	rest sync.Pool
}

// get returns an empty buffer.
func (p *pool) get() *[]byte {
	if b := p.one.Swap(nil); b != nil {
		return b
	}
	if b, ok := p.rest.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 1024)
	return &b
}

func (p *pool) put(b *[]byte) {
	if cap(*b) > maxPooled {
		return
	}
	*b = (*b)[:0]
	if !p.one.CompareAndSwap(nil, b) {
		p.rest.Put(b)
	}
}
