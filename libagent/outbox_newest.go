package libagent

import (
	"context"
	"sync"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// newest holds the latest message of each kind that tells of now. There are as many as the program declares.
type newest struct {
	mu     sync.Mutex // guards what follows
	order  []wire.Type
	frames map[wire.Type]newestFrame
	ready  chan struct{} // closed while there are some
	empty  chan struct{} // closed while there are none

	failures int // on how many connections the first one was not sent
}

type newestFrame struct {
	lane  conn.Lane
	frame []byte
}

func newNewest() *newest {
	n := &newest{frames: make(map[wire.Type]newestFrame), ready: make(chan struct{}), empty: make(chan struct{})}
	close(n.empty)
	return n
}

// put puts a message into the place of the one of its kind that waits, or behind the others.
func (n *newest) put(t wire.Type, l conn.Lane, frame []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, waits := n.frames[t]; !waits {
		n.order = append(n.order, t)
	}
	n.frames[t] = newestFrame{l, frame}
	if len(n.order) == 1 && len(n.frames) == 1 {
		n.note()
	}
}

// note opens and closes the channels as it is now. The caller holds n.mu.
func (n *newest) note() {
	full, now := &n.ready, &n.empty
	if len(n.order) == 0 {
		full, now = now, full
	}
	select {
	case <-*full:
	default:
		close(*full)
		*now = make(chan struct{})
	}
}

// take waits for a message and takes it.
func (n *newest) take(ctx context.Context) (wire.Type, newestFrame, error) {
	for {
		n.mu.Lock()
		if len(n.order) > 0 {
			t := n.order[0]
			f := n.frames[t]
			n.mu.Unlock()
			return t, f, nil
		}
		ready := n.ready
		n.mu.Unlock()
		select {
		case <-ready:
		case <-ctx.Done():
			return 0, newestFrame{}, context.Cause(ctx)
		}
	}
}

// sent lets go of a message, unless a newer one has taken its place.
func (n *newest) sent(t wire.Type, f newestFrame) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next(t, f)
}

// fail notes that the first message could not be sent on a connection. It returns the size of the frame if it was given up, else 0.
func (n *newest) fail(t wire.Type, f newestFrame) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failures++; n.failures < maxFailures || len(f.frame) <= batchBytes {
		return 0
	}
	n.next(t, f)
	return len(f.frame)
}

// next goes on behind the first message. The caller holds n.mu.
func (n *newest) next(t wire.Type, f newestFrame) {
	n.order, n.failures = n.order[1:], 0
	if &n.frames[t].frame[0] != &f.frame[0] {
		n.order = append(n.order, t)
		return
	}
	delete(n.frames, t)
	n.note()
}

func (n *newest) count() (frames, bytes int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, f := range n.frames {
		bytes += len(f.frame)
	}
	return len(n.frames), bytes
}

// flush waits until there is nothing or ctx is done.
func (n *newest) flush(ctx context.Context) error {
	n.mu.Lock()
	empty := n.empty
	n.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
