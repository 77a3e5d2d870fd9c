package conn

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// pieceSize is how many bytes are written under one deadline.
	pieceSize = 64 << 10

	// smallPieceSize is pieceSize where a write that a deadline has cut cannot be gone on with, so that a piece is the
	// smallest step that can be seen: TLS is broken then, and Windows does not say how much a socket has taken. It is
	// one record of TLS.
	smallPieceSize = 16 << 10

	// writeLooks is how often within the write timeout it is looked whether the peer has taken something.
	writeLooks = 4
)

// lifeline is a network connection that gives the peer up when it shows no life: when nothing comes from it for a
// time, or when it takes nothing for a time. It notes when something was last read.
//
// One goroutine reads and one writes; everything else is safe beside them.
type lifeline struct {
	net.Conn
	raw       net.Conn        // below TLS, or Conn itself
	readiness syscall.RawConn // of raw; nil if it cannot be seen

	writeTimeout time.Duration
	resumable    bool // a write can go on after a deadline
	piece        int  // bytes written under one deadline
	born         time.Time

	heard  atomic.Int64                  // when something was last read, nanoseconds since born
	waiter atomic.Pointer[chan struct{}] // nil while nobody waits for the next byte

	// mu guards the fields below, and the deadlines with them: whoever moves one must see what was decided before.
	mu     sync.Mutex
	idle   time.Duration // without a byte until the peer is given up, 0 for ever
	since  time.Duration // when idle was set, since born
	ending bool          // the deadlines are the last ones
}

func newLifeline(c net.Conn, writeTimeout time.Duration) *lifeline {
	l := &lifeline{Conn: c, raw: c, writeTimeout: writeTimeout, resumable: true, piece: pieceSize, born: time.Now()}
	t, secured := c.(*tls.Conn)
	if secured {
		l.raw = unwrap(t.NetConn())
	}
	_, socket := l.raw.(syscall.Conn)
	if secured || socket && runtime.GOOS == "windows" {
		l.resumable, l.piece = false, smallPieceSize
	}
	l.readiness = readiness(l.raw, secured)
	limitUnsent(l.raw)
	return l
}

// Read reads, and takes whatever comes for a sign of life. Moving a deadline costs more than a small read, so it is
// moved only when it has passed.
func (l *lifeline) Read(p []byte) (int, error) {
	for {
		n, err := l.Conn.Read(p)
		if n > 0 {
			l.alive()
			return n, err
		}
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if err := l.waitOn(err); err != nil {
			return 0, err
		}
	}
}

func (l *lifeline) alive() {
	l.heard.Store(int64(time.Since(l.born)))
	l.wake()
}

// waitOn moves a read deadline that has passed to where it is now. It returns an error if the peer's time is over.
func (l *lifeline) waitOn(passed error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return passed
	}
	if l.idle == 0 {
		return l.SetReadDeadline(time.Time{})
	}
	begin := max(time.Duration(l.heard.Load()), l.since)
	if time.Since(l.born)-begin >= l.idle {
		return ErrIdle
	}
	return l.SetReadDeadline(l.born.Add(begin + l.idle))
}

// expect gives the peer up after d without a byte, from now on; 0 means never.
func (l *lifeline) expect(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return
	}
	l.idle, l.since = max(d, 0), time.Since(l.born)
	if l.idle > 0 {
		l.SetReadDeadline(l.born.Add(l.since + l.idle))
	} else {
		l.SetReadDeadline(time.Time{})
	}
}

// end lets reads and writes go on until t, whatever comes.
func (l *lifeline) end(t time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ending = true
	l.SetDeadline(t)
}

// Write writes p in pieces. A large message to a slow peer may take as long as it needs, as long as the peer takes
// something of it.
func (l *lifeline) Write(p []byte) (int, error) {
	total := 0
	taken := time.Now() // the peer took something, at the latest
	for total < len(p) {
		last := l.beginWrite()
		n, err := l.Conn.Write(p[total:min(len(p), total+l.piece)])
		total += n
		if n > 0 {
			taken = time.Now()
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return total, err
		}
		if last || !l.resumable || time.Since(taken) >= l.writeTimeout {
			return total, ErrStalled
		}
	}
	return total, nil
}

// beginWrite sets the deadline of what is written next. It reports whether that is the last one.
func (l *lifeline) beginWrite() (last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ending {
		d := l.writeTimeout
		if l.resumable {
			d = max(d/writeLooks, 1)
		}
		l.SetWriteDeadline(time.Now().Add(d))
	}
	return l.ending
}

// halfClose tells the peer that nothing more comes, if the network can do that. It goes past TLS, whose farewell could
// wait for a peer that takes nothing; the WebSocket has said its own already.
func (l *lifeline) halfClose() {
	if c, ok := l.raw.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // it fails when the peer is gone, who need not be told then
	}
}

// Close closes the connection at once. It goes past TLS as halfClose does.
func (l *lifeline) Close() error { return l.raw.Close() }

// lastRead returns when something was last read.
func (l *lifeline) lastRead() time.Time { return l.born.Add(time.Duration(l.heard.Load())) }

// nextByte returns a channel that is closed when the next byte is read, or by wake.
func (l *lifeline) nextByte() <-chan struct{} {
	for {
		if ch := l.waiter.Load(); ch != nil {
			return *ch
		}
		ch := make(chan struct{})
		if l.waiter.CompareAndSwap(nil, &ch) {
			return ch
		}
	}
}

// wake wakes whoever waits for the next byte.
func (l *lifeline) wake() {
	if ch := l.waiter.Load(); ch != nil && l.waiter.CompareAndSwap(ch, nil) {
		close(*ch)
	}
}
