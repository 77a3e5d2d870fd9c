package logging

import "sync"

// maxPooled is the size up to which a buffer is kept for the next line. A line of 1 MB must not stay in memory for ever.
const maxPooled = 16 << 10

// pool keeps buffers that lines are built in.
type pool struct {
	p sync.Pool
}

// get returns an empty buffer.
func (p *pool) get() *[]byte {
	if b, ok := p.p.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 1024)
	return &b
}

func (p *pool) put(b *[]byte) {
	if cap(*b) <= maxPooled {
		*b = (*b)[:0]
		p.p.Put(b)
	}
}
