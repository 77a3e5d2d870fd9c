package conn

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// readBufferSize is the only buffer that an idle connection keeps. The library does not take a smaller one.
const readBufferSize = 257

// Options are the limits of a connection. The zero value works.
type Options struct {
	// MaxMessage is the largest message that is taken, in bytes after decompression. By default, 16 MiB.
	MaxMessage int

	// IdleTimeout is how long the peer may say nothing at all. By default, 30 s; less than 0 means for ever.
	IdleTimeout time.Duration

	// WriteTimeout is how long the peer may take no bytes while something is to be sent. By default, 10 s.
	WriteTimeout time.Duration

	// NoCompression refuses permessage-deflate. By default, it is offered and accepted.
	NoCompression bool

	// CompressFrom is the size in bytes from which messages are compressed, if the peer can do that. By default, 512.
	CompressFrom int
}

func (o Options) withDefaults() Options {
	if o.MaxMessage <= 0 {
		o.MaxMessage = 16 << 20
	}
	switch {
	case o.IdleTimeout == 0:
		o.IdleTimeout = 30 * time.Second
	case o.IdleTimeout < 0:
		o.IdleTimeout = 0
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 10 * time.Second
	}
	if o.CompressFrom <= 0 {
		o.CompressFrom = 512
	}
	return o
}

// Conn is one connection. Receive is for one goroutine at a time, everything else for any number at once.
type Conn struct {
	ws           *websocket.Conn
	stream       *stream
	life         *lifeline
	buffered     *bufio.Reader // what ws reads from; nil for a connection of Dial
	compressFrom int

	gate       gate                   // its holder writes, and has the next two fields
	unwritable error                  // why nothing more can be written
	crowded    bool                   // the last one who wrote had company
	pong       atomic.Pointer[string] // the newest ping that is still to be answered
	tasks      sync.WaitGroup         // goroutines that answer pings

	maxMessage atomic.Int64

	receiving gate    // its holder reads, and has the fields below
	message   *[]byte // nil between messages
	failed    error   // what Receive returns for ever

	closed atomic.Pointer[chan struct{}] // nil until somebody closes; that channel is closed when everything is done
	end    atomic.Pointer[error]         // why the connection cannot be used any more

	inFrames, inBytes, outFrames, outBytes atomic.Uint64
}

func newConn(ws *websocket.Conn, s *stream, o *Options) *Conn {
	c := &Conn{ws: ws, stream: s, life: s.life, compressFrom: o.CompressFrom}
	s.open = true
	ws.SetPingHandler(c.gotPing)
	ws.SetCloseHandler(func(int, string) error { return nil }) // Close answers
	c.SetLimits(o.MaxMessage, o.IdleTimeout)
	return c
}

// closing reports whether this side is closing the connection, or has.
func (c *Conn) closing() bool { return c.closed.Load() != nil }

// over notes why the connection cannot be used any more. The first reason counts.
func (c *Conn) over(err error) {
	if c.end.CompareAndSwap(nil, &err) {
		c.life.wake()
	}
}

// Stats counts what a connection has carried: frames, and their bytes before compression.
type Stats struct {
	InFrames, InBytes   uint64
	OutFrames, OutBytes uint64
}

// Stats returns what the connection has carried up to now.
func (c *Conn) Stats() Stats {
	return Stats{
		InFrames: c.inFrames.Load(), InBytes: c.inBytes.Load(),
		OutFrames: c.outFrames.Load(), OutBytes: c.outBytes.Load(),
	}
}

// LocalAddr returns the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.stream.LocalAddr() }

// RemoteAddr returns the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.stream.RemoteAddr() }

// LastRead returns when the peer last gave a sign of life: any byte. It does not jump with the clock of the host.
func (c *Conn) LastRead() time.Time { return c.life.lastRead() }

// SetLimits changes the largest message, in bytes after decompression and from the next message on, and the time that
// the peer may say nothing, from now on: a server allows more after the handshake. The values are as in [Options],
// without defaults; 0 or less for idle means for ever.
func (c *Conn) SetLimits(maxMessage int, idle time.Duration) {
	c.maxMessage.Store(int64(maxMessage))
	c.life.expect(idle)
}
