package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// recordHandshake is the first byte of a connection that speaks TLS. No request of HTTP begins with it.
const recordHandshake = 0x16

// secured has a listener speak TLS, and plain HTTP as well if that is allowed: what a client speaks, its first byte says.
// So a fleet can go over to TLS without a second port.
func secured(ln net.Listener, config *tls.Config, plain bool, failures *log.Logger) net.Listener {
	if !plain {
		return tls.NewListener(ln, config)
	}
	return &door{Listener: ln, config: config, failures: failures}
}

// door is a listener for TLS and plain connections. The first byte of one is looked at when it is read, by the goroutine
// that serves it anyway: who says nothing keeps nobody waiting, and nobody else has to look.
type door struct {
	net.Listener
	config   *tls.Config
	failures *log.Logger // of TLS
}

// Accept implements [net.Listener].
func (d *door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &visitor{Conn: c, door: d}, nil
}

// serve has a server of HTTP know what its requests come over. It would see to that itself if it knew that a connection
// speaks TLS before it reads it.
func (d *door) serve(h *http.Server) {
	h.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, visitorKey{}, c) }
	next := h.Handler
	h.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v, ok := r.Context().Value(visitorKey{}).(*visitor); ok {
			if t := v.secure.Load(); t != nil {
				r.TLS = &t.state
			}
		}
		next.ServeHTTP(w, r)
	})
}

// visitorKey is where the context of a request has its connection.
type visitorKey struct{}

// visitor is a connection that speaks TLS or does not. One goroutine reads at a time.
type visitor struct {
	net.Conn
	door   *door
	seen   bool // something was read
	secure atomic.Pointer[secureVisitor]
}

// secureVisitor is one that has shaken hands, or does.
type secureVisitor struct {
	*tls.Conn
	state tls.ConnectionState // after the handshake
}

// Unwrap returns the connection that this one is, once it has been read: package conn needs no more of it.
func (v *visitor) Unwrap() net.Conn {
	if t := v.secure.Load(); t != nil {
		return t.Conn
	}
	return v.Conn
}

// Read implements [net.Conn]. The first read shakes hands with who speaks TLS.
func (v *visitor) Read(p []byte) (int, error) {
	if t := v.secure.Load(); t != nil {
		return t.Read(p)
	}
	n, err := v.Conn.Read(p)
	if v.seen || n == 0 {
		return n, err
	}
	v.seen = true
	if p[0] != recordHandshake {
		return n, err
	}
	t := &secureVisitor{Conn: tls.Server(&pushback{Conn: v.Conn, rest: bytes.Clone(p[:n])}, v.door.config)}
	v.secure.Store(t)
	if err := v.shakeHands(t); err != nil {
		v.door.failures.Printf("TLS handshake error from %s: %v", v.RemoteAddr(), err)
		return 0, &net.OpError{Op: "read", Net: "tcp", Addr: v.RemoteAddr(), Err: err} // which HTTP does not answer
	}
	return t.Read(p)
}

// shakeHands takes as long as a header may take, which begins again after it.
func (v *visitor) shakeHands(t *secureVisitor) error {
	if err := v.SetDeadline(time.Now().Add(headerTime)); err != nil {
		return err
	}
	if err := t.HandshakeContext(context.Background()); err != nil {
		return err
	}
	t.state = t.ConnectionState()
	if err := v.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	return v.SetReadDeadline(time.Now().Add(headerTime))
}

// Write implements [net.Conn].
func (v *visitor) Write(p []byte) (int, error) { return v.Unwrap().Write(p) }

// Close implements [net.Conn].
func (v *visitor) Close() error { return v.Unwrap().Close() }

// CloseWrite is for [http.Server], who ends connections with it.
func (v *visitor) CloseWrite() error {
	if c, ok := v.Unwrap().(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// ReadFrom implements [io.ReaderFrom]: of files, TCP can do that without copying.
func (v *visitor) ReadFrom(r io.Reader) (int64, error) { return io.Copy(v.Unwrap(), r) }

// pushback is a connection of which something was read too early. One goroutine reads at a time.
type pushback struct {
	net.Conn
	rest []byte
}

// Unwrap returns the connection below.
func (b *pushback) Unwrap() net.Conn { return b.Conn }

// Read implements [net.Conn].
func (b *pushback) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		b.rest = nil
		return b.Conn.Read(p)
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}
