package libagent

import (
	"context"
	"sync"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// What one write takes from the outbox at most, so that control frames need not wait long and buffers stay small.
const (
	batchBytes  = 64 << 10
	batchFrames = 256
)

// outbox holds what the agent has to send until it is written. Each lane is bounded in bytes by itself: who puts more
// waits. It outlives connections; what was not written on one is written on the next.
type outbox struct {
	max int

	mu    sync.Mutex // guards lanes
	lanes [2]lane
}

type lane struct {
	frames [][]byte
	bytes  int
	ready  chan struct{} // closed while there are frames
	space  chan struct{} // closed and replaced when frames go
}

func newOutbox(maxBytes int) *outbox {
	o := &outbox{max: maxBytes}
	for i := range o.lanes {
		o.lanes[i].ready = make(chan struct{})
		o.lanes[i].space = make(chan struct{})
	}
	return o
}

// put adds a frame, and waits until there is space for it or ctx is done. A frame larger than the whole outbox goes in
// when nothing else is there.
func (o *outbox) put(ctx context.Context, l conn.Lane, frame []byte) error {
	for {
		space := o.add(l, frame)
		if space == nil {
			return nil
		}
		select {
		case <-space:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tryPut adds a frame if there is space for it.
func (o *outbox) tryPut(l conn.Lane, frame []byte) bool { return o.add(l, frame) == nil }

// add adds a frame, or returns a channel that is closed when it is worth another try.
func (o *outbox) add(l conn.Lane, frame []byte) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.lanes[l]
	if q.bytes > 0 && q.bytes+len(frame) > o.max {
		return q.space
	}
	if len(q.frames) == 0 {
		close(q.ready)
	}
	q.frames = append(q.frames, frame)
	q.bytes += len(frame)
	return nil
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

// drop lets the first n frames of a lane go: they are written.
func (o *outbox) drop(l conn.Lane, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	q := &o.lanes[l]
	for i := range n {
		q.bytes -= len(q.frames[i])
		q.frames[i] = nil
	}
	q.frames = q.frames[n:]
	if len(q.frames) == 0 {
		q.frames = nil // its array may have grown
		q.ready = make(chan struct{})
	}
	close(q.space)
	q.space = make(chan struct{})
}

// waiting returns how many frames and bytes wait.
func (o *outbox) waiting() (frames, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.lanes {
		frames += len(o.lanes[i].frames)
		bytes += o.lanes[i].bytes
	}
	return frames, bytes
}

// flush waits until nothing waits any more or ctx is done.
func (o *outbox) flush(ctx context.Context) error {
	for l := range o.lanes {
		for {
			o.mu.Lock()
			empty, space := len(o.lanes[l].frames) == 0, o.lanes[l].space
			o.mu.Unlock()
			if empty {
				break
			}
			select {
			case <-space:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// pump sends the frames of a lane over a connection until that ends. What was sent is let go when it is written.
func (o *outbox) pump(ctx context.Context, c *conn.Conn, l conn.Lane) error {
	for {
		frames, err := o.peek(ctx, l)
		if err != nil {
			return err
		}
		if err := c.Send(ctx, l, frames...); err != nil {
			return err
		}
		o.drop(l, len(frames))
	}
}
