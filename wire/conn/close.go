package conn

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// linger is how long Close waits for the peer to read the goodbye and end the connection itself. Closing at once with
// bytes of the peer unread would reset the connection, and the goodbye be lost.
const linger = time.Second

// maxReason is how many bytes of a reason fit into a close frame.
const maxReason = 123

// Close codes of RFC 6455, section 7.4.1, as they are used here.
const (
	CodeNormal    = websocket.CloseNormalClosure           // 1000
	CodeGoingAway = websocket.CloseGoingAway               // 1001: this end stops
	CodeProtocol  = websocket.CloseProtocolError           // 1002
	CodeBadData   = websocket.CloseInvalidFramePayloadData // 1007
	CodePolicy    = websocket.ClosePolicyViolation         // 1008
	CodeTooBig    = websocket.CloseMessageTooBig           // 1009
)

// Close says goodbye with a code and a reason (at most 123 bytes of it are sent), waits for the peer to say goodbye or
// to end the connection, and ends it. A frame that is being written has a second to get out before the goodbye, and the
// peer has a second after it; nobody waits longer.
//
// Any number of goroutines may close at once: the first one says goodbye, the others wait for it. After Close nothing
// of the connection runs any more but the caller's own goroutines, and those that send or receive get [ErrClosed].
func (c *Conn) Close(code int, reason string) {
	c.shut(code, reason, false)
}

// Drop is Close without a word: for a peer that has ended the connection without one itself, and will not listen.
func (c *Conn) Drop() { c.shut(noGoodbye, "", false) }

// noGoodbye is the code of a Close without one.
const noGoodbye = 0

// shut is Close; receiver says that the receiving goroutine is the caller.
func (c *Conn) shut(code int, reason string, receiver bool) {
	done := make(chan struct{})
	if !c.closed.CompareAndSwap(nil, &done) {
		if !receiver { // whoever closes may be waiting for the receiver
			<-*c.closed.Load()
		}
		return
	}
	defer close(done)
	c.over(ErrClosed)
	if code != noGoodbye {
		c.life.end(time.Now().Add(linger))
	}
	// A peer that was given up for its silence is not waited for.
	if code != noGoodbye && c.goodbye(code, reason) == nil && !errors.Is(*c.end.Load(), ErrIdle) {
		c.life.halfClose()
		c.life.end(time.Now().Add(linger))
		if receiver {
			c.outwait()
		} else {
			c.receiving.lock() // as soon as the receiver has seen the end, or has a frame
			c.outwait()
			c.receiving.leave()
		}
	}
	c.life.Close()
	if !receiver { // it may be about to have a ping answered
		c.receiving.lock()
		defer c.receiving.leave()
	}
	c.tasks.Wait()
}

// goodbye writes the close frame, or the one that the library has made already.
func (c *Conn) goodbye(code int, reason string) error {
	// The context never ends, but whoever holds the gate writes no longer than the deadlines.
	if err := c.turn(context.Background(), Control); err != nil {
		return err
	}
	defer c.gate.leave()
	c.unwritable = ErrClosed
	err := c.sendControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, cutReason(reason)))
	if errors.Is(err, websocket.ErrCloseSent) {
		return nil
	}
	return err
}

// cutReason makes a reason fit into a close frame, which a peer would refuse with half a character at its end.
func cutReason(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if len(s) <= maxReason {
		return s
	}
	n := maxReason
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// outwait reads until the peer has said goodbye too or has ended the connection, or until the deadline. The caller
// holds receiving.
func (c *Conn) outwait() {
	for {
		_, _, err := c.ws.NextReader()
		if err == nil {
			continue
		}
		if ce := (*websocket.CloseError)(nil); !errors.As(err, &ce) || ce.Code == websocket.CloseAbnormalClosure {
			_, _ = io.Copy(io.Discard, c.life.raw) // nothing that can be understood comes any more
		}
		return
	}
}
