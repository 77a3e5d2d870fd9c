package conn

import (
	"errors"
	"net"
	"os"
	"slices"
	"syscall"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire"
)

// Await waits until [Conn.Poll] has something to read, or nothing more to wait for. It needs so little stack that a goroutine
// which calls nothing else keeps the 2 kB that it began with, and holds no buffer; Receive needs 4 kB of stack and, while it
// waits, a buffer of 4 kB. So a server whose agents are idle most of the time waits with Await, and has another goroutine
// call Poll. A frame that was returned before is not valid any more.
//
// Where the readiness of a socket cannot be seen, which is with TLS, on Windows and on what is no socket, it waits as Receive
// does. On a connection of [Dialer.Dial] it returns at once.
func (c *Conn) Await() {
	if c.buffered == nil {
		return
	}
	c.receiving.lock()
	c.release()
	if c.failed == nil && !c.closing() && !c.arrived() && !c.life.await() {
		_, _ = c.buffered.Peek(1) // whoever reads finds an error again
	}
	c.receiving.leave()
}

// Poll is [Conn.Receive] for what has arrived: it returns no frame and no error when that was no message but pings and pongs,
// which it has seen to. Of a message of which only a part has arrived it waits for the rest.
func (c *Conn) Poll() (*wire.Frame, error) {
	c.receiving.lock()
	defer c.receiving.leave()
	if c.buffered != nil && c.failed == nil && !c.closing() {
		for c.control() {
			if !c.arrived() {
				return nil, nil
			}
		}
	}
	return c.receive()
}

// arrived reports whether something was read from the network that the library has not seen.
func (c *Conn) arrived() bool { return c.buffered.Buffered() > 0 || c.stream.ahead.any() }

// control sees to a ping or a pong between messages, and reports whether there was one. The library would do it too, but then
// wait for the message after it. Whatever is not as it should be is left to the library, which knows what to say.
func (c *Conn) control() bool {
	const final, masked, maskSize = 0x80, 0x80, 4
	head, err := c.buffered.Peek(2)
	if err != nil || head[0] != final|websocket.PingMessage && head[0] != final|websocket.PongMessage || head[1]&masked == 0 {
		return false
	}
	ping, size := head[0] == final|websocket.PingMessage, int(head[1]&^masked)
	if size > maxControl {
		return false
	}
	frame, err := c.buffered.Peek(2 + maskSize + size)
	if err != nil {
		return false
	}
	if ping {
		mask, data := frame[2:2+maskSize], slices.Clone(frame[2+maskSize:])
		for i := range data {
			data[i] ^= mask[i%maskSize]
		}
		_ = c.gotPing(string(data)) // never fails
	}
	_, _ = c.buffered.Discard(len(frame)) // they are there
	return true
}

// readiness is what tells when a socket can be read; nil where nothing does.
func readiness(raw net.Conn, secured bool) syscall.RawConn {
	s, ok := raw.(syscall.Conn)
	if !ok || secured || !canPoll {
		return nil
	}
	rc, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return rc
}

// await waits until there is something to read, or the peer's time is over. It reports false if it cannot tell.
func (l *lifeline) await() bool {
	if l.readiness == nil {
		return false
	}
	for {
		err := l.readiness.Read(readable)
		if !errors.Is(err, os.ErrDeadlineExceeded) || l.waitOn(err) != nil {
			return true
		}
	}
}
