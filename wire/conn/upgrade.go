package conn

import (
	"bufio"
	"fmt"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// Upgrade turns a request into a connection, or answers it with an error. A request with an Origin header is refused
// with 403: agents are no browsers.
//
// The connection needs nothing of the request any more. A handler that returns and leaves it to a goroutine of its own
// gives the buffers and the stack of the HTTP server back. A connection with a method Unwrap() net.Conn is taken for what
// that returns: a listener may have put something around it until it knows what it is.
func Upgrade(w http.ResponseWriter, r *http.Request, opt Options) (*Conn, error) {
	if origin := r.Header.Values("Origin"); len(origin) > 0 {
		return nil, refuseBrowser(w, origin)
	}
	h := &hijacker{ResponseWriter: w, options: opt.withDefaults()}
	up := &plainUpgrader
	if !opt.NoCompression {
		up = &compressingUpgrader
	}
	ws, err := up.Upgrade(h, r, nil)
	if err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	c := newConn(ws, h.stream, &h.options)
	c.buffered = h.buffered
	return c, nil
}

// refuseBrowser answers a web page.
func refuseBrowser(w http.ResponseWriter, origin []string) error {
	http.Error(w, "agents send no Origin", http.StatusForbidden)
	return fmt.Errorf("upgrade: request from a browser (Origin %q)", origin)
}

// The upgraders are made once: one on the stack would make that of an HTTP server's goroutine too small.
var (
	plainUpgrader       = upgrader(false)
	compressingUpgrader = upgrader(true)
)

func upgrader(compression bool) websocket.Upgrader {
	return websocket.Upgrader{
		EnableCompression: compression,
		ReadBufferSize:    0, // takes the buffer of our hijacker
		WriteBufferSize:   writeBufferSize,
		WriteBufferPool:   &writeBuffers,
		CheckOrigin:       func(*http.Request) bool { return true }, // Upgrade has looked
	}
}

// hijacker puts our connection below the WebSocket, and our buffer.
type hijacker struct {
	http.ResponseWriter
	options  Options
	stream   *stream
	buffered *bufio.Reader
}

// Hijack takes the connection over from the HTTP server.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	rw = h.settle(c, rw)
	return h.stream, rw, nil
}

// settle makes a stream of a connection, and returns the buffers that the library is to have.
func (h *hijacker) settle(c net.Conn, rw *bufio.ReadWriter) *bufio.ReadWriter {
	life := newLifeline(unwrap(c), h.options.WriteTimeout)
	h.stream = &stream{Conn: life, life: life}
	if rw.Reader.Buffered() > 0 {
		return rw // data before the handshake is complete, which the library refuses
	}
	h.buffered = bufio.NewReaderSize(h.stream, readBufferSize)
	return bufio.NewReadWriter(h.buffered, rw.Writer)
}

// unwrap takes off what a listener has put around a connection.
func unwrap(c net.Conn) net.Conn {
	for {
		u, ok := c.(interface{ Unwrap() net.Conn })
		if !ok {
			return c
		}
		c = u.Unwrap()
	}
}
