package conn

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// corkSize is how much is gathered before it is written, and how much is written under one deadline.
const corkSize = 64 << 10

// corks are the buffers that gather small writes into one; a connection borrows one while it writes.
var corks = sync.Pool{New: func() any { b := make([]byte, 0, corkSize); return &b }}

// netConn is the connection below the WebSocket. It notes signs of life, keeps the deadlines and gathers what is written
// between cork and flush into few system calls.
type netConn struct {
	net.Conn

	idle    atomic.Int64 // nanoseconds without a byte until the peer is given up, 0 for never
	moved   atomic.Int64 // when the read deadline was last moved, Unix nanoseconds
	heardAt atomic.Int64 // when something was last read, Unix nanoseconds
	heard   atomic.Pointer[chan struct{}]

	writeTimeout time.Duration

	mu  sync.Mutex // guards buf: a protocol error is answered from the reading goroutine
	buf *[]byte    // nil unless corked
}

// Read reads, and takes whatever comes for a sign of life.
func (c *netConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.alive()
	}
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && c.idle.Load() > 0 {
		err = ErrIdle
	}
	return n, err
}

func (c *netConn) alive() {
	now := time.Now()
	c.heardAt.Store(now.UnixNano())
	if ch := c.heard.Swap(nil); ch != nil {
		close(*ch)
	}
	// Moving the deadline costs more than a small read: once in a tenth of it is often enough.
	if idle := c.idle.Load(); idle > 0 && now.UnixNano()-c.moved.Load() > idle/10 {
		c.moved.Store(now.UnixNano())
		c.SetReadDeadline(now.Add(time.Duration(idle)))
	}
}

// expect gives the peer up after d without a byte, from now on.
func (c *netConn) expect(d time.Duration) {
	now := time.Now()
	c.idle.Store(int64(d))
	c.moved.Store(now.UnixNano())
	if d > 0 {
		c.SetReadDeadline(now.Add(d))
	} else {
		c.SetReadDeadline(time.Time{})
	}
}

// SetWriteDeadline does nothing: each piece that is written has a deadline of its own, so that a large message to a slow
// peer may take its time as long as it makes progress.
func (c *netConn) SetWriteDeadline(time.Time) error { return nil }

// Write writes, or gathers while the connection is corked.
func (c *netConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf == nil {
		return c.writeNow(p)
	}
	if len(*c.buf)+len(p) > corkSize {
		if err := c.drain(); err != nil {
			return 0, err
		}
		if len(p) > corkSize {
			return c.writeNow(p)
		}
	}
	*c.buf = append(*c.buf, p...)
	return len(p), nil
}

// cork gathers writes until flush.
func (c *netConn) cork() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = corks.Get().(*[]byte)
}

// flush writes what was gathered and gives the buffer back.
func (c *netConn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buf == nil {
		return nil
	}
	err := c.drain()
	*c.buf = (*c.buf)[:0]
	corks.Put(c.buf)
	c.buf = nil
	return err
}

func (c *netConn) drain() error {
	_, err := c.writeNow(*c.buf)
	*c.buf = (*c.buf)[:0]
	return err
}

// writeNow writes p in pieces, each under its own deadline.
func (c *netConn) writeNow(p []byte) (int, error) {
	total := 0
	for len(p) > 0 {
		piece := p[:min(len(p), corkSize)]
		if err := c.Conn.SetWriteDeadline(time.Now().Add(c.writeTimeout)); err != nil {
			return total, err
		}
		n, err := c.Conn.Write(piece)
		total += n
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = ErrStalled
			}
			return total, err
		}
		p = p[n:]
	}
	return total, nil
}

// notifyHeard returns a channel that is closed when the next byte is read.
func (c *netConn) notifyHeard() <-chan struct{} {
	for {
		if ch := c.heard.Load(); ch != nil {
			return *ch
		}
		ch := make(chan struct{})
		if c.heard.CompareAndSwap(nil, &ch) {
			return ch
		}
	}
}
