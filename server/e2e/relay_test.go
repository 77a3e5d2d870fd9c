package e2e_test

import (
	"net"
	"sync"
	"testing"
	"time"
)

// relay is a bad line: connections that are made to it go on to another address, as well as it lets them.
type relay struct {
	listener net.Listener
	to       string
	running  sync.WaitGroup

	mu      sync.Mutex // guards what follows
	mode    lineMode
	changed chan struct{} // closed when the mode changes
	conns   map[net.Conn]bool
}

// lineMode is how well a line lets bytes through.
type lineMode int

const (
	lineGood   lineMode = iota
	lineFrozen          // nothing passes, and nobody is told
	lineSlow            // a kilobyte now and then
	lineClosed          // new connections are ended at once
)

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, to: to, changed: make(chan struct{}), conns: make(map[net.Conn]bool)}
	r.running.Go(r.accept)
	t.Cleanup(func() {
		l.Close()
		r.set(lineClosed)
		r.reset()
		r.running.Wait()
	})
	return r
}

func (r *relay) addr() string { return r.listener.Addr().String() }

// set changes how well the line works.
func (r *relay) set(m lineMode) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mode = m
	close(r.changed)
	r.changed = make(chan struct{})
}

// reset ends all connections as a router does that has forgotten them.
func (r *relay) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0)
		}
		c.Close()
	}
}

func (r *relay) accept() {
	for {
		c, err := r.listener.Accept()
		if err != nil {
			return
		}
		if r.hold(c) {
			r.running.Go(func() { r.serve(c) })
		}
	}
}

// hold notes a connection, unless the line is closed.
func (r *relay) hold(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mode == lineClosed {
		c.Close()
		return false
	}
	r.conns[c] = true
	return true
}

func (r *relay) let(c net.Conn) {
	c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

func (r *relay) serve(c net.Conn) {
	defer r.let(c)
	up, err := net.Dial("tcp", r.to)
	if err != nil || !r.hold(up) {
		return
	}
	defer r.let(up)
	var back sync.WaitGroup
	back.Go(func() { r.copy(c, up) })
	r.copy(up, c)
	back.Wait()
}

// copy passes bytes on until one of the ends is gone, which ends both.
func (r *relay) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 1<<10)
	for {
		n, err := from.Read(buf)
		if err != nil || !r.pass() {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// pass waits until the line lets bytes through. It reports false when the line is closed.
func (r *relay) pass() bool {
	for {
		r.mu.Lock()
		mode, changed := r.mode, r.changed
		r.mu.Unlock()
		switch mode {
		case lineFrozen:
			<-changed
			continue
		case lineSlow:
			time.Sleep(50 * time.Millisecond)
		case lineClosed:
			return false
		}
		return true
	}
}
