package conn

import (
	"context"
	"io"
	"time"

	"github.com/gorilla/websocket"
)

// linger is how long Close waits for the peer to read the goodbye and end the connection itself. Closing at once with
// bytes of the peer unread would reset the connection, and the goodbye be lost.
const linger = time.Second

// Close codes of RFC 6455, section 7.4.1, as they are used here.
const (
	CodeNormal    = websocket.CloseNormalClosure           // 1000
	CodeGoingAway = websocket.CloseGoingAway               // 1001: this end stops
	CodePolicy    = websocket.ClosePolicyViolation         // 1008
	CodeTooBig    = websocket.CloseMessageTooBig           // 1009
	CodeBadData   = websocket.CloseInvalidFramePayloadData // 1007
)

// Close says goodbye with a code and a reason (at most 123 bytes of it are sent), waits for the peer to end the
// connection, a second at most, and ends it. Every later call waits for the first one. After it no goroutine of the
// connection is left but the caller's own that receives, which gets [ErrClosed].
func (c *Conn) Close(code int, reason string) {
	c.shut(code, reason, false)
}

// shut is Close; receiver says that the receiving goroutine is the caller.
func (c *Conn) shut(code int, reason string, receiver bool) {
	if c.closing.Swap(true) {
		if !receiver {
			<-c.closed
		}
		return
	}
	defer close(c.closed)
	// Whoever writes now has linger to finish; then the goodbye is given up.
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	if c.gate.enter(ctx, Control) == nil {
		text := reason[:min(len(reason), 123)]
		if c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Time{}) == nil {
			if half, ok := c.nc.Conn.(interface{ CloseWrite() error }); ok {
				half.CloseWrite()
			}
			c.nc.until(time.Now().Add(linger))
			if receiver {
				c.nc.discard()
			} else {
				c.awaitReceiver()
			}
		}
		c.gate.leave()
	}
	c.nc.Close()
	if !receiver { // it may be about to have a ping answered
		c.receiving.Lock()
		defer c.receiving.Unlock()
	}
	c.tasks.Wait()
}

// awaitReceiver waits until the receiving goroutine has seen the end, or reads to the end in its place if it is busy
// elsewhere.
func (c *Conn) awaitReceiver() {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	c.nc.discard()
}

// until reads on until t, whatever comes.
func (c *netConn) until(t time.Time) {
	c.idle.Store(0)
	c.SetReadDeadline(t)
}

// discard reads to the end or to the deadline.
func (c *netConn) discard() {
	io.Copy(io.Discard, c.Conn)
}
