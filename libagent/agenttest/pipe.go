package agenttest

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// inFlight is how many bytes one direction of a connection holds, as the buffers of a kernel do.
const inFlight = 64 << 10

// wireFlow is one direction of a connection.
type wireFlow struct {
	data   []byte
	ended  bool // the writer sends no more
	unread bool // the reader reads no more
}

// pipe is a connection in memory. Unlike net.Pipe it holds some bytes in flight, as a network does, and it can be frozen:
// nothing arrives then, at either end, not even that the other one is gone.
type pipe struct {
	state  watched // guards what follows, and the deadlines of the ends
	flows  [2]wireFlow
	frozen bool
}

// pipeEnd is one end: it writes into the flow of its number and reads the other one.
type pipeEnd struct {
	*pipe
	number          int
	local, remote   net.Addr
	closed          bool
	readBy, writeBy time.Time
}

// newPipe connects two ends.
func newPipe(a, b net.Addr) (*pipeEnd, *pipeEnd) {
	p := &pipe{}
	return &pipeEnd{pipe: p, number: 0, local: a, remote: b}, &pipeEnd{pipe: p, number: 1, local: b, remote: a}
}

// freeze stops what is on its way, or lets it go on.
func (p *pipe) freeze(frozen bool) { p.state.change(func() { p.frozen = frozen }) }

// cut ends the connection for both, and what is in flight with it.
func (p *pipe) cut() {
	p.state.change(func() {
		p.frozen = false
		for i := range p.flows {
			p.flows[i] = wireFlow{ended: true, unread: true}
		}
	})
}

// Read waits for data, the end of it, or the deadline.
func (e *pipeEnd) Read(b []byte) (n int, err error) {
	in := &e.flows[1-e.number]
	ready := func() bool {
		switch {
		case e.closed:
			err = net.ErrClosed
		case passed(e.readBy):
			err = os.ErrDeadlineExceeded
		case e.frozen:
			return false
		case len(in.data) > 0:
			n = copy(b, in.data)
			in.data = in.data[n:]
		case in.ended:
			err = io.EOF
		default:
			return false
		}
		return true
	}
	e.wait(ready, func() time.Time { return e.readBy })
	return n, err
}

// Write waits until everything is in flight, the other end is gone, or the deadline has passed.
func (e *pipeEnd) Write(b []byte) (n int, err error) {
	out := &e.flows[e.number]
	ready := func() bool {
		switch {
		case e.closed || out.ended:
			err = net.ErrClosed
			return true
		case passed(e.writeBy):
			err = os.ErrDeadlineExceeded
			return true
		case out.unread && !e.frozen:
			err = syscall.ECONNRESET
			return true
		}
		room := min(inFlight-len(out.data), len(b)-n)
		out.data = append(out.data, b[n:n+room]...)
		n += room
		return n == len(b) || room > 0
	}
	for {
		e.wait(ready, func() time.Time { return e.writeBy })
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

// wait waits until ready, which looks at the deadline itself: it may be moved in the meantime.
func (e *pipeEnd) wait(ready func() bool, deadline func() time.Time) {
	for !e.state.await(ready, deadline) {
	}
}

func passed(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

// Close ends the connection; what is in flight arrives.
func (e *pipeEnd) Close() error {
	e.state.change(func() {
		e.closed = true
		e.flows[e.number].ended = true
		e.flows[1-e.number].unread = true
	})
	return nil
}

// CloseWrite ends this direction alone.
func (e *pipeEnd) CloseWrite() error {
	e.state.change(func() { e.flows[e.number].ended = true })
	return nil
}

// LocalAddr returns the address of this end.
func (e *pipeEnd) LocalAddr() net.Addr { return e.local }

// RemoteAddr returns the address of the other end.
func (e *pipeEnd) RemoteAddr() net.Addr { return e.remote }

// SetDeadline sets both deadlines.
func (e *pipeEnd) SetDeadline(t time.Time) error {
	e.state.change(func() { e.readBy, e.writeBy = t, t })
	return nil
}

// SetReadDeadline sets when a read gives up.
func (e *pipeEnd) SetReadDeadline(t time.Time) error {
	e.state.change(func() { e.readBy = t })
	return nil
}

// SetWriteDeadline sets when a write gives up.
func (e *pipeEnd) SetWriteDeadline(t time.Time) error {
	e.state.change(func() { e.writeBy = t })
	return nil
}
