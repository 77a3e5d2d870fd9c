package libagent

import (
	"context"
	"slices"
	"sync"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// What one write takes from the outbox at most, so that control frames need not wait long and buffers stay small.
const (
	batchBytes  = 64 << 10
	batchFrames = 256
)

// maxFailures is on how many connections a large frame may fail to be sent before it is given up: the peer does not take
// it, and nothing behind it would ever be sent.
const maxFailures = 5

// outbox holds what the agent has to send until it is written. Each lane is bounded in bytes by itself: who puts more
// waits its turn. It outlives connections; what was not written on one is written on the next.
type outbox struct {
	mu    sync.Mutex // guards lanes
	lanes [2]lane
}

type lane struct {
	max      int
	frames   [][]byte
	bytes    int
	failures int           // on how many connections the first frame was not sent
	ready    chan struct{} // closed while there are frames
	waiting  []*waiter     // in order of arrival
	drained  chan struct{} // closed while there are no frames
}

// waiter is a frame that there is no space for yet.
type waiter struct {
	frame []byte
	in    chan struct{} // closed when the frame is in
}

// newOutbox makes an outbox for maxBytes: three quarters for bulk, the rest for control.
func newOutbox(maxBytes int) *outbox {
	o := &outbox{}
	o.lanes[conn.Control].max = maxBytes / 4
	o.lanes[conn.Bulk].max = maxBytes - maxBytes/4
	for i := range o.lanes {
		o.lanes[i].ready = make(chan struct{})
		o.lanes[i].drained = make(chan struct{})
		close(o.lanes[i].drained)
	}
	return o
}

// fits tells whether a frame may be added. One that is larger than the lane may when nothing else is there.
func (q *lane) fits(frame []byte) bool { return q.bytes == 0 || q.bytes+len(frame) <= q.max }

func (q *lane) add(frame []byte) {
	if len(q.frames) == 0 {
		close(q.ready)
		q.drained = make(chan struct{})
	}
	q.frames = append(q.frames, frame)
	q.bytes += len(frame)
}

// put adds a frame, and waits its turn until there is space for it. It gives up when one of the channels is closed, and
// returns which one, or -1 when the frame is in.
func (o *outbox) put(l conn.Lane, frame []byte, ends ...<-chan struct{}) int {
	o.mu.Lock()
	q := &o.lanes[l]
	if len(q.waiting) == 0 && q.fits(frame) {
		q.add(frame)
		o.mu.Unlock()
		return -1
	}
	w := &waiter{frame, make(chan struct{})}
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

// tryPut adds a frame if there is space for it at once.
func (o *outbox) tryPut(l conn.Lane, frame []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.lanes[l]
	if len(q.waiting) > 0 || !q.fits(frame) {
		return false
	}
	q.add(frame)
	return true
}

// admit lets those in that wait and fit, in order. The caller holds o.mu.
func (o *outbox) admit(q *lane) {
	for len(q.waiting) > 0 && q.fits(q.waiting[0].frame) {
		q.add(q.waiting[0].frame)
		close(q.waiting[0].in)
		q.waiting[0] = nil
		q.waiting = q.waiting[1:]
	}
}

// peek waits for frames of a lane and returns the first of them, which stay.
func (o *outbox) peek(ctx context.Context, l conn.Lane) ([][]byte, error) {
	for {
		o.mu.Lock()
		q := &o.lanes[l]
		n, size := 0, 0
		for n < len(q.frames) && n < batchFrames && (n == 0 || size+len(q.frames[n]) <= batchBytes) {
			size += len(q.frames[n])
			n++
		}
		frames, ready := q.frames[:n:n], q.ready
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

// drop lets the first n frames of a lane go.
func (o *outbox) drop(l conn.Lane, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.lanes[l]
	for i := range n {
		q.bytes -= len(q.frames[i])
		q.frames[i] = nil
	}
	q.frames, q.failures = q.frames[n:], 0
	if len(q.frames) == 0 {
		q.frames = nil // its array may have grown
		q.ready = make(chan struct{})
		close(q.drained)
	}
	o.admit(q)
}

// fail notes that the first frame of a lane could not be sent on a connection. It returns the size of the frame if it was
// given up, else 0.
func (o *outbox) fail(l conn.Lane) int {
	o.mu.Lock()
	q := &o.lanes[l]
	q.failures++
	size := 0
	if q.failures >= maxFailures && len(q.frames) > 0 && len(q.frames[0]) > batchBytes {
		size = len(q.frames[0])
	}
	o.mu.Unlock()
	if size > 0 {
		o.drop(l, 1)
	}
	return size
}

// count returns how many frames and bytes are in the outbox.
func (o *outbox) count() (frames, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.lanes {
		frames += len(o.lanes[i].frames)
		bytes += o.lanes[i].bytes
	}
	return frames, bytes
}

// flush waits until nothing is in the outbox or ctx is done.
func (o *outbox) flush(ctx context.Context) error {
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

// pump sends the frames of a lane over a connection until that ends. What was sent is let go when it is written.
func (ag *Agent) pump(ctx context.Context, c *conn.Conn, l conn.Lane) error {
	for {
		frames, err := ag.out.peek(ctx, l)
		if err != nil {
			return err
		}
		if err := c.Send(ctx, l, frames...); err != nil {
			if size := ag.out.fail(l); size > 0 {
				ag.log.Error("message given up: the server does not take it", "bytes", size, "connections", maxFailures)
			}
			return err
		}
		ag.out.drop(l, len(frames))
	}
}
