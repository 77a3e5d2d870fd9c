package libagent

import (
	"context"
	"slices"
	"sync"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// memory holds replies until they are written, and without a folder also what was emitted until the server has it. Each lane is
// bounded in bytes by itself: who puts more waits its turn.
type memory struct {
	mu    sync.Mutex // guards lanes
	lanes [2]memoryLane
}

type memoryLane struct {
	max      int
	bytes    int
	failures int       // on how many connections the first reply was not sent
	waiting  []*waiter // in order of arrival
	replies  [][]byte
	ready    chan struct{} // closed while there are replies
	drained  chan struct{} // closed while there are none
	kept     []message
	released uint64 // sequence before that of the first of kept
}

// waiter is what there is no space for yet: a reply or a message.
type waiter struct {
	reply   []byte
	message message
	in      chan struct{} // closed when it is in
}

func (w *waiter) size() int { return len(w.reply) + len(w.message) }

// newMemory makes room for maxBytes: three quarters for bulk, the rest for control.
func newMemory(maxBytes int) *memory {
	o := &memory{}
	o.lanes[conn.Control].max = maxBytes / 4
	o.lanes[conn.Bulk].max = maxBytes - maxBytes/4
	for i := range o.lanes {
		o.lanes[i].ready = make(chan struct{})
		o.lanes[i].drained = make(chan struct{})
		close(o.lanes[i].drained)
	}
	return o
}

// fits tells whether so many bytes may be added. More than the lane may have may when nothing else is there.
func (q *memoryLane) fits(size int) bool { return q.bytes == 0 || q.bytes+size <= q.max }

func (q *memoryLane) add(w *waiter) {
	q.bytes += w.size()
	if w.message != nil {
		q.kept = append(q.kept, w.message)
		return
	}
	if len(q.replies) == 0 {
		close(q.ready)
		q.drained = make(chan struct{})
	}
	q.replies = append(q.replies, w.reply)
}

// put adds a reply or a message, and waits its turn until there is space for it. It gives up when one of the channels is
// closed, and returns which one, or -1 when it is in.
func (o *memory) put(l conn.Lane, w *waiter, ends ...<-chan struct{}) int {
	o.mu.Lock()
	q := &o.lanes[l]
	if len(q.waiting) == 0 && q.fits(w.size()) {
		q.add(w)
		o.mu.Unlock()
		return -1
	}
	w.in = make(chan struct{})
	q.waiting = append(q.waiting, w)
	o.mu.Unlock()

	var end [3]<-chan struct{} // nil ones wait for ever
	copy(end[:], ends)
	which := 0
	select {
	case <-w.in:
		return -1
	case <-end[0]:
	case <-end[1]:
		which = 1
	case <-end[2]:
		which = 2
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.Index(q.waiting, w)
	if i < 0 {
		return -1 // it came in at the same moment
	}
	q.waiting = slices.Delete(q.waiting, i, i+1)
	o.admit(q) // a smaller one may have waited behind it
	return which
}

// tryPut adds a reply if there is space for it at once.
func (o *memory) tryPut(l conn.Lane, reply []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.lanes[l]
	if len(q.waiting) > 0 || !q.fits(len(reply)) {
		return false
	}
	q.add(&waiter{reply: reply})
	return true
}

// admit lets those in that wait and fit, in order. The caller holds o.mu.
func (o *memory) admit(q *memoryLane) {
	for len(q.waiting) > 0 && q.fits(q.waiting[0].size()) {
		q.add(q.waiting[0])
		close(q.waiting[0].in)
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
	}
}

// peek waits for replies of a lane and returns the first of them, which stay.
func (o *memory) peek(ctx context.Context, l conn.Lane) ([][]byte, error) {
	for {
		o.mu.Lock()
		q := &o.lanes[l]
		n, size := 0, 0
		for n < len(q.replies) && n < batchFrames && (n == 0 || size+len(q.replies[n]) <= batchBytes) {
			size += len(q.replies[n])
			n++
		}
		frames, ready := q.replies[:n:n], q.ready
		o.mu.Unlock()
		if n > 0 {
			return frames, nil
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// drop lets the first n replies of a lane go.
func (o *memory) drop(l conn.Lane, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.lanes[l]
	for i := range n {
		q.bytes -= len(q.replies[i])
		q.replies[i] = nil
	}
	q.replies, q.failures = q.replies[n:], 0
	if len(q.replies) == 0 {
		q.replies = nil // its array may have grown
		q.ready = make(chan struct{})
		close(q.drained)
	}
	o.admit(q)
}

// fail notes that the first reply of a lane could not be sent on a connection. It returns the size of the frame if it was
// given up, else 0.
func (o *memory) fail(l conn.Lane) int {
	o.mu.Lock()
	q := &o.lanes[l]
	q.failures++
	size := 0
	if q.failures >= maxFailures && len(q.replies) > 0 && len(q.replies[0]) > batchBytes {
		size = len(q.replies[0])
	}
	o.mu.Unlock()
	if size > 0 {
		o.drop(l, 1)
	}
	return size
}

// count returns how many replies and messages are there, and their bytes.
func (o *memory) count() (frames, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.lanes {
		frames += len(o.lanes[i].replies) + len(o.lanes[i].kept)
		bytes += o.lanes[i].bytes
	}
	return frames, bytes
}

// flush waits until no reply is there or ctx is done.
func (o *memory) flush(ctx context.Context) error {
	for l := range o.lanes {
		o.mu.Lock()
		drained := o.lanes[l].drained
		o.mu.Unlock()
		select {
		case <-drained:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
