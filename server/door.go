package server

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// recordHandshake is the first byte of a connection that speaks TLS. No request of HTTP begins with it.
const recordHandshake = 0x16

// secured has a listener speak TLS, and plain HTTP as well if that is allowed: what a client speaks, its first byte says.
// So a fleet can go over to TLS without a second port.
func secured(ln net.Listener, config *tls.Config, plain bool) net.Listener {
	if !plain {
		return tls.NewListener(ln, config)
	}
	d := &door{Listener: ln, config: config, ready: make(chan arrival), closed: make(chan struct{}), open: make(map[net.Conn]struct{})}
	d.running.Go(d.accept)
	return d
}

// door is a listener for TLS and plain connections.
type door struct {
	net.Listener
	config  *tls.Config
	ready   chan arrival
	closed  chan struct{}
	once    sync.Once
	running sync.WaitGroup

	mu   sync.Mutex            // guards the field below
	open map[net.Conn]struct{} // those that have said nothing yet; nil once the door is closed
}

// arrival is what Accept returns.
type arrival struct {
	conn net.Conn
	err  error
}

// accept takes connections until the listener is closed. Who says nothing keeps nobody waiting.
func (d *door) accept() {
	for {
		c, err := d.Listener.Accept()
		if err == nil {
			if d.enter(c) {
				d.running.Go(func() { d.look(c) })
			}
			continue
		}
		select {
		case d.ready <- arrival{err: err}:
		case <-d.closed:
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
	}
}

func (d *door) enter(c net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		c.Close()
		return false
	}
	d.open[c] = struct{}{}
	return true
}

// look waits for the first byte of a connection.
func (d *door) look(c net.Conn) {
	var first [1]byte
	_ = c.SetReadDeadline(time.Now().Add(headerTime)) // a connection that cannot have one fails with the read
	_, err := io.ReadFull(c, first[:])
	if err == nil {
		err = c.SetReadDeadline(time.Time{})
	}
	d.mu.Lock()
	delete(d.open, c)
	d.mu.Unlock()
	if err != nil {
		c.Close()
		return
	}
	a := arrival{conn: withFirst(c, first[0])}
	if first[0] == recordHandshake {
		a.conn = tls.Server(a.conn, d.config)
	}
	select {
	case d.ready <- a:
	case <-d.closed:
		c.Close()
	}
}

// Accept implements [net.Listener].
func (d *door) Accept() (net.Conn, error) {
	select {
	case a := <-d.ready:
		return a.conn, a.err
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]. It returns when nothing of the door is left.
func (d *door) Close() error {
	err := d.Listener.Close()
	d.once.Do(func() { close(d.closed) })
	d.mu.Lock()
	for c := range d.open {
		c.Close()
	}
	d.open = nil
	d.mu.Unlock()
	d.running.Wait()
	return err
}

// withFirst returns a connection whose first byte was read already. One of TCP stays one, for whoever wants its socket.
func withFirst(c net.Conn, first byte) net.Conn {
	if tcp, ok := c.(*net.TCPConn); ok {
		return &firstTCP{TCPConn: tcp, pushback: pushback{first: first, has: true}}
	}
	return &firstConn{Conn: c, pushback: pushback{first: first, has: true}}
}

// pushback is a byte that was read too early. One goroutine reads.
type pushback struct {
	first byte
	has   bool
}

func (b *pushback) read(p []byte, c io.Reader) (int, error) {
	if b.has && len(p) > 0 {
		p[0], b.has = b.first, false
		return 1, nil
	}
	return c.Read(p)
}

type firstTCP struct {
	*net.TCPConn
	pushback
}

// Read implements [net.Conn].
func (c *firstTCP) Read(p []byte) (int, error) { return c.read(p, c.TCPConn) }

// WriteTo implements [io.WriterTo], without leaving the first byte out.
func (c *firstTCP) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{c}) }

type firstConn struct {
	net.Conn
	pushback
}

// Read implements [net.Conn].
func (c *firstConn) Read(p []byte) (int, error) { return c.read(p, c.Conn) }
