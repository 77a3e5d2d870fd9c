package conn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire"
)

// readBufferSize is the only buffer that an idle connection keeps.
const readBufferSize = 512

// maxKeptMessage is the largest message buffer that is kept for the next message.
const maxKeptMessage = 64 << 10

// messages are the buffers that messages are read into.
var messages = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

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
	nc           *netConn
	compressFrom int

	maxMessage atomic.Int64
	message    *[]byte // the receiver's, nil between messages

	gate  gate
	pong  atomic.Pointer[string] // the newest ping that is still to be answered
	tasks sync.WaitGroup         // goroutines that answer pings

	receiving sync.Mutex // held by Receive
	closing   atomic.Bool
	cause     atomic.Pointer[error] // what broke the connection while writing
	closed    chan struct{} // closed when Close has done everything

	inFrames, inBytes, outFrames, outBytes atomic.Uint64
}

func newConn(ws *websocket.Conn, nc *netConn, o Options) *Conn {
	c := &Conn{ws: ws, nc: nc, compressFrom: o.CompressFrom, closed: make(chan struct{})}
	c.maxMessage.Store(int64(o.MaxMessage))
	ws.SetPingHandler(c.gotPing)
	ws.SetPongHandler(func(string) error { return nil })
	ws.SetCloseHandler(func(int, string) error { return nil }) // Close answers
	nc.expect(o.IdleTimeout)
	return c
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
func (c *Conn) LocalAddr() net.Addr { return c.nc.LocalAddr() }

// RemoteAddr returns the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// LastRead returns when the peer last gave a sign of life.
func (c *Conn) LastRead() time.Time { return time.Unix(0, c.nc.heardAt.Load()) }

// SetLimits changes the largest message and the time that the peer may say nothing, from the next message on: a server
// allows more after the handshake. The values are as in [Options], without defaults; 0 for idle means for ever.
func (c *Conn) SetLimits(maxMessage int, idle time.Duration) {
	c.maxMessage.Store(int64(maxMessage))
	c.nc.expect(idle)
}

// Receive waits for the next message and returns its frame, which is valid until the next call. A [*FrameError] means
// that the peer sent something that is no frame, and that the next one can be received. Every other error is the end of
// the connection, which the caller then closes.
func (c *Conn) Receive() (*wire.Frame, error) {
	c.receiving.Lock()
	defer c.receiving.Unlock()
	c.release()
	if c.closing.Load() {
		c.nc.discard()
		return nil, ErrClosed
	}
	_, r, err := c.ws.NextReader()
	if err != nil {
		return nil, c.ended(err)
	}
	data, err := c.read(r)
	if err != nil {
		return nil, c.ended(err)
	}
	c.inFrames.Add(1)
	c.inBytes.Add(uint64(len(data)))
	f, err := wire.Parse(data)
	if err != nil {
		if errors.Is(err, wire.ErrUTF8) {
			c.shut(websocket.CloseInvalidFramePayloadData, "invalid UTF-8", true)
			return nil, err
		}
		return nil, &FrameError{Len: len(data), Err: err}
	}
	return f, nil
}

// read reads one message into a borrowed buffer that grows with what really comes.
func (c *Conn) read(r io.Reader) ([]byte, error) {
	c.message = messages.Get().(*[]byte)
	b := (*c.message)[:0]
	limit := int(c.maxMessage.Load())
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		*c.message = b
		switch {
		case len(b) > limit:
			c.shut(websocket.CloseMessageTooBig, fmt.Sprintf("message over %d bytes", limit), true)
			return nil, fmt.Errorf("%w: over %d bytes", ErrTooBig, limit)
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, err
		}
	}
}

// release gives the message buffer back.
func (c *Conn) release() {
	if c.message == nil {
		return
	}
	if cap(*c.message) <= maxKeptMessage {
		messages.Put(c.message)
	}
	c.message = nil
}

// ended gives the end of the connection its name.
func (c *Conn) ended(err error) error {
	c.release()
	if errors.Is(err, ErrTooBig) {
		return err
	}
	if c.closing.Load() {
		return ErrClosed
	}
	if cause := c.cause.Load(); cause != nil {
		return *cause
	}
	var ce *websocket.CloseError
	if errors.As(err, &ce) {
		if ce.Code == websocket.CloseAbnormalClosure {
			return io.ErrUnexpectedEOF
		}
		return &PeerClosedError{Code: ce.Code, Reason: ce.Text}
	}
	return err
}
