package conn

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire"
)

// Receive waits for the next message and returns its frame, which is valid until the next call. A [*FrameError] means
// that the peer sent something that is no frame, and that the next one can be received.
//
// Every other error is the end of the connection, which the caller then closes, and is returned by all later calls:
// [ErrClosed], [ErrIdle], [ErrTooBig], [ErrStalled], a [*PeerClosedError], io.ErrUnexpectedEOF if the peer ended the
// connection without a goodbye, [ErrProtocol], [wire.ErrUTF8], or an error of the network. A peer that has violated the
// limits, the protocol or UTF-8 has been told so then, which may have taken two seconds.
func (c *Conn) Receive() (*wire.Frame, error) {
	c.receiving.lock()
	defer c.receiving.leave()
	return c.receive()
}

// receive is Receive for whoever holds receiving.
func (c *Conn) receive() (*wire.Frame, error) {
	c.release()
	if c.failed != nil {
		return nil, c.failed
	}
	data, err := c.next()
	if err != nil {
		return nil, c.fail(err)
	}
	c.inFrames.Add(1)
	c.inBytes.Add(uint64(len(data)))
	f, err := wire.Parse(data)
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, wire.ErrUTF8):
		return nil, c.fail(err)
	}
	return nil, &FrameError{Len: len(data), Err: err}
}

// next reads the next message.
func (c *Conn) next() ([]byte, error) {
	if c.closing() {
		c.outwait()
		return nil, ErrClosed
	}
	limit := c.maxMessage.Load()
	// Whoever announces too much is refused before it is read. What does not get smaller by compression gets larger.
	c.ws.SetReadLimit(limit + limit/64 + 1<<10)
	_, r, err := c.ws.NextReader()
	if err != nil {
		return nil, err
	}
	c.message = messages.get()
	*c.message, err = readUpTo((*c.message)[:0], r, int(limit))
	return *c.message, err
}

// readUpTo appends all that r has to b, at most limit bytes.
func readUpTo(b []byte, r io.Reader, limit int) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, min(cap(b), limit-len(b)+1))
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case len(b) > limit:
			return b, websocket.ErrReadLimit
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

// release gives the message buffer back.
func (c *Conn) release() {
	if c.message != nil {
		messages.put(c.message)
		c.message = nil
	}
}

// fail gives the end of the connection its name and, where the peer has to be told, tells it.
func (c *Conn) fail(err error) error {
	c.release()
	c.failed = c.reason(err)
	c.over(c.failed)
	return c.failed
}

func (c *Conn) reason(err error) error {
	var ce *websocket.CloseError
	switch {
	case c.closing():
		return ErrClosed
	case errors.As(err, &ce) && ce.Code != websocket.CloseAbnormalClosure:
		return &PeerClosedError{Code: ce.Code, Reason: ce.Text}
	case c.stream.readErr != nil:
		return c.networkReason(c.stream.readErr)
	case errors.Is(err, wire.ErrUTF8):
		c.shut(CodeBadData, "invalid UTF-8", true)
		return err
	case errors.Is(err, websocket.ErrReadLimit):
		limit := c.maxMessage.Load()
		c.shut(CodeTooBig, fmt.Sprintf("message over %d bytes", limit), true)
		return fmt.Errorf("%w: over %d bytes", ErrTooBig, limit)
	}
	c.shut(CodeProtocol, err.Error(), true)
	return fmt.Errorf("%w: %w", ErrProtocol, err)
}

// networkReason says why nothing more can be read.
func (c *Conn) networkReason(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.ErrUnexpectedEOF
	}
	if end := c.end.Load(); end != nil {
		return *end // this side has ended the connection, after a write that failed
	}
	return err
}
