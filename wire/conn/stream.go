package conn

import (
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// gatherSize is how much is gathered before it is written.
	gatherSize = pieceSize

	// maxControl is the largest payload of a control frame.
	maxControl = 125

	// controlSize is the largest control frame.
	controlSize = 2 + 4 + maxControl

	// maxAnswer is how many bytes a server's answer to the upgrade may have.
	maxAnswer = 64 << 10
)

// errLongAnswer means that a server answers the upgrade with more than maxAnswer bytes.
var errLongAnswer = errors.New("answer too long")

// stream is what the WebSocket library takes for its network connection. During the handshake it writes through and
// bounds what is read. Afterwards what the library writes is gathered in memory until flush, so that many frames leave
// in few system calls.
type stream struct {
	net.Conn // the lifeline, or TLS upon it
	life     *lifeline

	open   bool // the handshake is over; set before the connection is shared
	answer int  // bytes read during the handshake

	// The reader's.
	ahead   readAhead
	readErr error // why nothing more can be read

	mu  sync.Mutex
	out *[]byte // guarded by mu: the library answers a violation of the protocol from the reading goroutine
}

// Read reads, and notes an error: the library disguises some, and makes its own.
func (s *stream) Read(p []byte) (int, error) {
	n, err := s.ahead.read(s.Conn, p)
	s.readErr = err
	if !s.open {
		if s.answer += n; s.answer > maxAnswer {
			return 0, errLongAnswer
		}
	}
	return n, err
}

// Write gathers p. It writes only when p does not fit, which never happens to a control frame: those that do not come
// from the holder of the gate must not wait for the network.
func (s *stream) Write(p []byte) (int, error) {
	if !s.open {
		return s.Conn.Write(p)
	}
	if !s.gather(p) {
		if err := s.flush(); err != nil {
			return 0, err
		}
		if len(p) > gatherSize {
			return s.Conn.Write(p)
		}
		s.gather(p)
	}
	return len(p), nil
}

// gather takes p if it fits.
func (s *stream) gather(p []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := len(p)
	if s.out != nil {
		size += len(*s.out)
	}
	if size > gatherSize && len(p) > controlSize {
		return false
	}
	switch {
	case s.out == nil && size <= page:
		s.out = pages.get()
	case s.out == nil:
		s.out = gathers.get()
	case size > page && cap(*s.out) == page:
		b := gathers.get()
		*b = append(*b, *s.out...)
		pages.put(s.out)
		s.out = b
	}
	*s.out = append(*s.out, p...)
	return true
}

// flush writes what was gathered. Only the holder of the gate may.
func (s *stream) flush() error {
	s.mu.Lock()
	out := s.out
	s.out = nil
	s.mu.Unlock()
	if out == nil {
		return nil
	}
	_, err := s.Conn.Write(*out)
	giveBack(out)
	return err
}

func giveBack(b *[]byte) {
	if cap(*b) == page {
		pages.put(b)
	} else {
		gathers.put(b)
	}
}

// Close closes the connection at once.
func (s *stream) Close() error { return s.life.Close() }

// The deadlines are the lifeline's: the library, which would set and clear them, has no say.

// SetDeadline does nothing.
func (s *stream) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (s *stream) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (s *stream) SetWriteDeadline(time.Time) error { return nil }
