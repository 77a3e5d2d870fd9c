package conn

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/gorilla/websocket"
)

// Lane is the priority of what is sent: [Control] or [Bulk].
type Lane int

const (
	// Control is for what must not wait: pings, handshakes, kills, answers to requests.
	Control Lane = iota
	// Bulk is for what may wait: reports, output of commands, files.
	Bulk
)

// Send writes frames in the order given, each as one message, and returns when the kernel has taken all of them; they
// may be reused then. It waits its turn in its lane until ctx is done; a frame that is being written is written to its
// end, whatever happens to ctx.
//
// Small frames of the control lane that several goroutines send at the same time leave together, in one write. Frames go out
// in turns of about 64 KiB. Between the turns of one call, frames of the control lane may go out, and ctx
// may end: the frames of the turns before are sent then, the others are not.
//
// An error of the connection, or a peer that takes no bytes for [Options.WriteTimeout] ([ErrStalled]), ends the
// connection: whether the peer has received the frames cannot be known then.
func (c *Conn) Send(ctx context.Context, lane Lane, frames ...[]byte) error {
	for len(frames) > 0 {
		n, err := c.sendSome(ctx, lane, frames)
		if err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

// sendSome waits its turn and writes as many frames as leave together, one at least, so that nobody waits long for a
// turn. It returns how many frames it has written. What others have to send meanwhile leaves with them.
func (c *Conn) sendSome(ctx context.Context, lane Lane, frames [][]byte) (int, error) {
	carried, err := c.turnOrRide(ctx, lane, frames)
	switch {
	case err != nil:
		return 0, err
	case carried:
		return len(frames), nil
	}
	defer c.gate.leave()
	if c.crowded {
		runtime.Gosched() // who is about to send need not write then
	}
	n, room := 0, gatherSize
	for ; n < len(frames); n++ {
		size := sizeOnWire(len(frames[n]))
		if size > room && n > 0 {
			break
		}
		room -= size
	}
	riders := c.gate.board(room)
	c.crowded = len(riders) > 0
	err = c.write(frames[:n], riders)
	arrive(riders, err)
	return n, err
}

// write writes frames, and those of riders, at once. The caller holds the gate.
func (c *Conn) write(frames [][]byte, riders []*waiter) error {
	if err := c.gather(frames); err != nil {
		return c.broken(err)
	}
	for _, r := range riders {
		if err := c.gather(r.frames); err != nil {
			return c.broken(err)
		}
	}
	if err := c.stream.flush(); err != nil {
		return c.broken(err)
	}
	c.count(frames)
	for _, r := range riders {
		c.count(r.frames)
	}
	return nil
}

// gather makes messages of frames, which the next flush writes.
func (c *Conn) gather(frames [][]byte) error {
	for _, f := range frames {
		c.ws.EnableWriteCompression(len(f) >= c.compressFrom)
		if err := c.ws.WriteMessage(websocket.TextMessage, f); err != nil {
			return err
		}
	}
	return nil
}

// count counts what was written.
func (c *Conn) count(frames [][]byte) {
	size := 0
	for _, f := range frames {
		size += len(f)
	}
	c.outFrames.Add(uint64(len(frames)))
	c.outBytes.Add(uint64(size))
}

// turn waits until the caller holds the gate and may write.
func (c *Conn) turn(ctx context.Context, lane Lane) error {
	_, err := c.turnOrRide(ctx, lane, nil)
	return err
}

// turnOrRide is turn for who has frames to send, which another one may have sent meanwhile.
func (c *Conn) turnOrRide(ctx context.Context, lane Lane, frames [][]byte) (carried bool, err error) {
	carried, err = c.gate.enterOrRide(ctx, lane, frames)
	if carried || err != nil {
		return carried, err
	}
	if err = c.unwritable; err != nil {
		c.gate.leave()
	}
	return false, err
}

// sizeOnWire is about how many bytes a message of n bytes has on the wire when it is not compressed.
func sizeOnWire(n int) int { return n + headerSize*(1+n/writeBufferSize) }

// sendControl writes a control frame. The caller holds the gate.
func (c *Conn) sendControl(kind int, data []byte) error {
	err := c.ws.WriteControl(kind, data, time.Time{})
	// Even if the library refuses, since it has said goodbye to a peer that violates the protocol: that is written now.
	if e := c.stream.flush(); e != nil {
		return e
	}
	return err
}

// broken ends a connection that could not be written, and returns why nothing more can be: half a frame may be out. The
// caller holds the gate.
func (c *Conn) broken(err error) error {
	switch {
	case errors.Is(err, websocket.ErrCloseSent):
		return ErrClosed // the library has said goodbye, which is still to be written
	case c.closing():
		c.unwritable = ErrClosed
		return ErrClosed
	}
	c.over(err)
	c.unwritable = *c.end.Load()
	if errors.Is(err, ErrStalled) {
		c.life.Close()
	} else {
		// The peer is gone. Why, it may have said before, and that is still to be read.
		c.life.end(time.Now().Add(linger))
	}
	return c.unwritable
}
