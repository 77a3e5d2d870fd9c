package conn

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// writeBufferSize is the size of the frames that larger messages are cut into; a connection borrows a buffer of it
// while it writes.
const writeBufferSize = 16 << 10

var writeBuffers sync.Pool

// Dialer makes connections to a server. The zero value works.
type Dialer struct {
	Options

	// NetDial makes the connection below. By default, a TCP connection.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Header goes with the request.
	Header http.Header
}

// Dial connects to a URL such as ws://127.0.0.1:13081/ws/agent. A server that answers with something else than a
// WebSocket gives a [*RefusedError].
func (d Dialer) Dial(ctx context.Context, url string) (*Conn, error) {
	o := d.Options.withDefaults()
	dial := d.NetDial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	var nc *netConn
	wd := websocket.Dialer{
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			nc = &netConn{Conn: c, writeTimeout: o.WriteTimeout}
			return nc, nil
		},
		EnableCompression: !o.NoCompression,
		ReadBufferSize:    readBufferSize,
		WriteBufferSize:   writeBufferSize,
		WriteBufferPool:   &writeBuffers,
	}
	ws, resp, err := wd.DialContext(ctx, url, d.Header)
	if errors.Is(err, websocket.ErrBadHandshake) && resp != nil {
		return nil, refused(resp)
	}
	if err != nil {
		return nil, err
	}
	return newConn(ws, nc, o), nil
}

// refused reads a server's refusal; the WebSocket library leaves at most a kilobyte of the body.
func refused(resp *http.Response) *RefusedError {
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 256))
	return &RefusedError{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()), Body: string(body)}
}

// retryAfter reads a Retry-After header (RFC 9110, section 10.2.3): seconds or a date. What makes no sense is 0.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(min(max(n, 0), 1<<20)) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}
