package conn

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

// Upgrade turns a request into a connection, or answers it with an error. A request with an Origin header is refused:
// agents are no browsers.
func Upgrade(w http.ResponseWriter, r *http.Request, opt Options) (*Conn, error) {
	if origin := r.Header.Get("Origin"); origin != "" {
		http.Error(w, "agents send no Origin", http.StatusForbidden)
		return nil, fmt.Errorf("upgrade: request from a browser (Origin %q)", origin)
	}
	o := opt.withDefaults()
	h := &hijacker{ResponseWriter: w, writeTimeout: o.WriteTimeout}
	up := websocket.Upgrader{
		EnableCompression: !o.NoCompression,
		ReadBufferSize:    readBufferSize,
		WriteBufferSize:   writeBufferSize,
		WriteBufferPool:   &writeBuffers,
		CheckOrigin:       func(*http.Request) bool { return true }, // checked above
		HandshakeTimeout:  o.WriteTimeout,
	}
	ws, err := up.Upgrade(h, r, nil)
	if err != nil {
		return nil, fmt.Errorf("upgrade: %w", err)
	}
	h.nc.heardAt.Store(time.Now().UnixNano())
	return newConn(ws, h.nc, o), nil
}

// hijacker puts our connection below the WebSocket.
type hijacker struct {
	http.ResponseWriter
	writeTimeout time.Duration
	nc           *netConn
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if rw.Reader.Buffered() > 0 {
		c.Close()
		return nil, nil, errors.New("client sent data before the handshake was complete")
	}
	h.nc = &netConn{Conn: c, writeTimeout: h.writeTimeout}
	return h.nc, rw, nil
}
