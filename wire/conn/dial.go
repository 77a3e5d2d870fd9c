package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// Dialer makes connections to a server. The zero value works.
type Dialer struct {
	Options

	// NetDial makes the connection below. By default, a TCP connection.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS is for URLs that begin with wss. By default, the server needs a certificate for its name that the host
	// trusts.
	TLS *tls.Config

	// Header goes with the request.
	Header http.Header
}

// Dial connects to a URL such as ws://127.0.0.1:13081/ws/agent, within ctx. A server that answers with something else
// than a WebSocket gives a [*RefusedError], one that says nothing for [Options.IdleTimeout] gives [ErrIdle]. Redirects
// of HTTP are not followed.
func (d Dialer) Dial(ctx context.Context, url string) (*Conn, error) {
	h := &handshake{ctx: ctx, dialer: d, options: d.Options.withDefaults(), stop: func() bool { return true }}
	wd := websocket.Dialer{
		NetDialContext:    h.dial,
		NetDialTLSContext: h.dialTLS,
		EnableCompression: !h.options.NoCompression,
		ReadBufferSize:    page,
		WriteBufferSize:   writeBufferSize,
		WriteBufferPool:   &writeBuffers,
	}
	// The library knows only deadlines, and would set them itself: what ctx says is seen to here.
	ws, resp, err := wd.DialContext(context.WithoutCancel(ctx), url, d.Header)
	aborted := !h.stop()
	switch {
	case errors.Is(err, websocket.ErrBadHandshake):
		return nil, refused(resp)
	case err != nil && h.stream == nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return nil, err // NetDial knows more
	case aborted, err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("websocket handshake: %w", context.Cause(ctx))
	case err != nil && h.stream != nil:
		return nil, fmt.Errorf("websocket handshake: %w", err)
	case err != nil:
		return nil, err
	}
	return newConn(ws, h.stream, &h.options), nil
}

// handshake is what a Dial holds until it has a connection.
type handshake struct {
	ctx     context.Context
	dialer  Dialer
	options Options
	stream  *stream
	stop    func() bool // keeps the end of ctx from ending the connection; false if it has
}

// dial makes the connection below a WebSocket.
func (h *handshake) dial(_ context.Context, network, addr string) (net.Conn, error) {
	life, err := h.connect(network, addr)
	if err != nil {
		return nil, err
	}
	h.stream = &stream{Conn: life, life: life}
	return h.stream, nil
}

// dialTLS is dial with TLS.
func (h *handshake) dialTLS(_ context.Context, network, addr string) (net.Conn, error) {
	life, err := h.connect(network, addr)
	if err != nil {
		return nil, err
	}
	config := h.dialer.TLS.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(addr)
	}
	t := tls.Client(life, config)
	if err := t.HandshakeContext(h.ctx); err != nil {
		life.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	h.stream = &stream{Conn: t, life: life}
	return h.stream, nil
}

// connect makes the connection below everything, which the end of ctx ends.
func (h *handshake) connect(network, addr string) (*lifeline, error) {
	dial := h.dialer.NetDial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	c, err := dial(h.ctx, network, addr)
	if err != nil {
		return nil, err
	}
	life := newLifeline(c, h.options.WriteTimeout)
	life.expect(h.options.IdleTimeout)
	h.stop = context.AfterFunc(h.ctx, func() { life.Close() })
	return life, nil
}
