package conn

import "sync"

// Connections borrow what they need while they need it; ten thousand idle ones hold nothing. The pools are shared by all
// connections of the process.

// page is the size of a small buffer, in bytes.
const page = 4 << 10

// buffers are buffers of one size.
type buffers struct {
	size int
	pool sync.Pool
}

func (b *buffers) get() *[]byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, 0, b.size)
	return &p
}

// put gives a buffer back. One that has grown is worth keeping up to maxKept bytes.
func (b *buffers) put(p *[]byte) {
	if cap(*p) <= maxKept {
		*p = (*p)[:0]
		b.pool.Put(p)
	}
}

// maxKept is the largest buffer that is kept, in bytes.
const maxKept = 2 * gatherSize

var (
	pages    = buffers{size: page}                     // for what is read ahead and for small sends
	gathers  = buffers{size: gatherSize + controlSize} // for sends of several frames
	messages = buffers{size: page}                     // for messages that are read; these grow
)

// headerSize is the largest header of a frame.
const headerSize = 2 + 8 + 4

// writeBufferSize is the size of the frames that larger messages are cut into: four of them are gathered at a time.
const writeBufferSize = gatherSize/4 - headerSize

// writeBuffers are those in which the WebSocket library makes frames.
var writeBuffers sync.Pool
