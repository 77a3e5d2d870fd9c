package conn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Each end learns from the other why it closed; with both ends ours no one waits.
func TestGoodbye(t *testing.T) {
	for _, off := range []bool{false, true} {
		s, c := pair(t, conn.Options{NoCompression: off}, conn.Options{NoCompression: off})
		received := inBackground(t, func() {
			err := receiveEnd(s)
			var bye *conn.PeerClosedError
			if !errors.As(err, &bye) || bye.Code != conn.CodeGoingAway || bye.Reason != "agent stops" {
				t.Errorf("server: %v", err)
			}
			s.Close(conn.CodeNormal, "")
		})
		if err := c.Send(t.Context(), conn.Bulk, frame(100_000)); err != nil {
			t.Error(err)
		}
		c.Close(conn.CodeGoingAway, "agent stops")
		received()
		for _, d := range []*conn.Conn{s, c} {
			if err := d.Send(t.Context(), conn.Bulk, frame(30)); !errors.Is(err, conn.ErrClosed) {
				t.Errorf("send after close: %v", err)
			}
			if err := d.Ping(t.Context()); !errors.Is(err, conn.ErrClosed) {
				t.Errorf("ping after close: %v", err)
			}
			d.Close(conn.CodeNormal, "again")
		}
		if _, err := c.Receive(); !errors.Is(err, conn.ErrClosed) {
			t.Errorf("receive after close: %v", err)
		}
	}
}

// A reason that is too long, or no UTF-8, is cut and mended: a peer would refuse the close frame else, and know nothing.
func TestGoodbyeReason(t *testing.T) {
	long := strings.Repeat("ü", 100)
	for reason, want := range map[string]string{
		long:                     long[:122],
		"a" + long:               "a" + long[:122],
		strings.Repeat("x", 200): strings.Repeat("x", 123),
		"bad \xff\xfe id":        "bad \ufffd id",
		"":                       "",
	} {
		url, accepted := accept(t, conn.Options{})
		ws := gorillaDial(t, url, false)
		s := accepted()
		told := inBackground(t, func() {
			_, _, err := ws.ReadMessage()
			var ce *websocket.CloseError
			if !errors.As(err, &ce) || ce.Code != conn.CodePolicy || ce.Text != want || !utf8.ValidString(ce.Text) {
				t.Errorf("peer got %v, want reason %q", err, want)
			}
			ws.Close()
		})
		s.Close(conn.CodePolicy, reason)
		told()
	}
}

// The goodbye must arrive though the peer has sent much that nobody has read: a reset would take it away.
func TestGoodbyeIsNotReset(t *testing.T) {
	s, p := rawPair(t, conn.Options{}, "")
	many := rawFrame(bitFin|opBinary, make([]byte, 100_000))
	p.write(t, many[:50_000])
	many = append(many[50_000:], many[:50_000]...)
	wrote := inBackground(t, func() {
		for range 120 { // more than the kernels take
			if _, err := p.Write(many); err != nil {
				t.Errorf("peer: %v", err)
				return
			}
		}
	})
	closed := inBackground(t, func() { s.Close(conn.CodeGoingAway, "server stops") })
	wrote() // and only then it reads
	p.mustGoodbye(t, conn.CodeGoingAway)
	p.Close()
	closed()
}

// A peer that sends without end is not waited for longer than the second, and is told all the same.
func TestCloseWhilePeerSends(t *testing.T) {
	for _, receiving := range []bool{true, false} {
		t.Run(fmt.Sprintf("receiving %v", receiving), func(t *testing.T) {
			s, p := rawPair(t, conn.Options{MaxMessage: 1 << 30}, "")
			inBackground(t, func() {
				p.Write(rawHeader(bitFin|opText, 0x80, 100<<20))
				piece := make([]byte, 1<<20)
				for {
					if _, err := p.Write(piece); err != nil {
						return
					}
				}
			})
			told := inBackground(t, func() { p.mustGoodbye(t, conn.CodeNormal) })
			if receiving {
				inBackground(t, func() {
					if err := receiveEnd(s); !errors.Is(err, conn.ErrClosed) {
						t.Errorf("receive: %v", err)
					}
				})
			}
			s.Close(conn.CodeNormal, "")
			told()
		})
	}
}

// halfCloser notes when what was to be written has ended.
type halfCloser struct {
	net.Conn
	did chan string
}

func (c *halfCloser) CloseWrite() error {
	c.did <- "half closed"
	return nil
}

func (c *halfCloser) Close() error {
	select {
	case c.did <- "closed":
	default: // later ones do nothing
	}
	return c.Conn.Close()
}

// A peer that does not understand the goodbye still sees that nothing more comes.
func TestHalfClose(t *testing.T) {
	near, far := net.Pipe()
	up := make(chan *rawPeer)
	go func() { up <- rawAccept(t, far) }()
	nc := &halfCloser{near, make(chan string, 2)}
	c, err := dialOn(nc, conn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := <-up
	told := inBackground(t, func() {
		p.mustGoodbye(t, conn.CodeNormal)
		if did := <-nc.did; did != "half closed" {
			t.Errorf("after the goodbye: %s", did)
		}
		p.Close()
	})
	c.Close(conn.CodeNormal, "")
	told()
	if did := <-nc.did; did != "closed" {
		t.Errorf("in the end: %s", did)
	}
}

// Close takes a second for what is being written and a second for the peer, and not more, whatever the peer does.
func TestCloseIsBounded(t *testing.T) {
	for _, c := range []struct {
		name     string
		takes    bool // the peer reads
		sends    bool // somebody is sending
		receives bool // somebody is receiving
		ends     bool // the peer ends the connection when it is told
		most     time.Duration
	}{
		{"a deaf peer", false, false, false, false, time.Second},
		{"a deaf peer, sending", false, true, true, false, time.Second},
		{"a peer that hears and stays", true, false, false, false, time.Second},
		{"a peer that hears and stays, receiving", true, true, true, false, time.Second},
		{"a peer that goes", true, true, true, true, 0},
		{"a peer that goes, not receiving", true, false, false, true, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, p := pipe(t, conn.Options{IdleTimeout: -1})
			if c.takes {
				inBackground(t, func() {
					p.mustGoodbye(t, conn.CodeNormal)
					if c.ends {
						p.Close()
					}
				})
			}
			if c.sends {
				inBackground(t, func() {
					for s.Send(context.Background(), conn.Bulk, frame(100_000)) == nil {
						time.Sleep(time.Millisecond)
					}
					if err := s.Send(context.Background(), conn.Bulk, frame(30)); !errors.Is(err, conn.ErrClosed) {
						t.Errorf("%s: send: %v", c.name, err)
					}
				})
			}
			if c.receives {
				inBackground(t, func() {
					if err := receiveEnd(s); !errors.Is(err, conn.ErrClosed) {
						t.Errorf("%s: receive: %v", c.name, err)
					}
				})
			}
			synctest.Wait()
			begin := time.Now()
			s.Close(conn.CodeNormal, "")
			if d := time.Since(begin); d > c.most {
				t.Errorf("%s: took %v, want at most %v", c.name, d, c.most)
			}
		})
	}
}

// A peer that has said goodbye waits for ours, and not for the end of our patience.
func TestAnswerToGoodbye(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := pipe(t, conn.Options{})
		inBackground(t, func() {
			p.write(t, unmasked(bitFin|opClose, append([]byte{0x03, 0xe9}, "server stops"...)))
			p.mustGoodbye(t, conn.CodeNormal)
			if _, err := p.br.ReadByte(); err != io.EOF {
				t.Errorf("peer then gets %v", err)
			}
		})
		var bye *conn.PeerClosedError
		if _, err := s.Receive(); !errors.As(err, &bye) || bye.Code != conn.CodeGoingAway || bye.Reason != "server stops" {
			t.Errorf("got %v", err)
		}
		begin := time.Now()
		s.Close(conn.CodeNormal, "")
		since(t, begin, 0, 0)
	})
}

// Everything at once: nothing deadlocks, nothing races, every call ends.
func TestCloseFromEverywhere(t *testing.T) {
	for range 30 {
		s, c := pair(t, conn.Options{}, conn.Options{})
		var wg sync.WaitGroup
		for _, d := range []*conn.Conn{s, c} {
			for i := range 4 {
				wg.Go(func() {
					for d.Send(t.Context(), conn.Lane(i%2), frame(20_000), frame(100)) == nil {
					}
				})
				wg.Go(func() {
					for d.Ping(t.Context()) == nil {
						d.SetLimits(1<<20+i, time.Minute)
						d.Stats()
						d.LastRead()
					}
				})
			}
			wg.Go(func() {
				for range 20 {
					if _, err := d.Receive(); err != nil {
						break
					}
				}
				d.Close(conn.CodeGoingAway, "enough")
				if _, err := d.Receive(); err == nil {
					t.Error("received after close")
				}
			})
			for range 3 {
				wg.Go(func() {
					d.Send(t.Context(), conn.Bulk, frame(1000))
					d.Close(conn.CodeNormal, "")
				})
			}
		}
		wg.Wait()
	}
}

// reset ends the connection with a reset instead of an end.
func (p *rawPeer) reset() {
	p.Conn.(*net.TCPConn).SetLinger(0)
	p.Close()
}

// A peer that vanishes at any point ends Receive and Send with an error, and Close at once.
func TestPeerVanishes(t *testing.T) {
	text := rawFrame(bitFin|opText, frame(1000))
	points := map[string][]byte{
		"after the handshake":         nil,
		"within a header":             text[:3],
		"within a message":            text[:500],
		"between fragments":           rawFrame(opText, frame(1000)[:10]),
		"after a message":             text,
		"within a ping":               rawFrame(bitFin|opPing, []byte("12345"))[:8],
		"within a close frame":        rawFrame(bitFin|opClose, []byte{0x03, 0xe8})[:7],
		"within a compressed message": rawFrame(bitFin|bitCompressed|opText, deflated(t, frame(100_000)))[:40],
	}
	for name, data := range points {
		for how, end := range map[string]func(*rawPeer){"reset": (*rawPeer).reset, "end": func(p *rawPeer) { p.Close() }} {
			t.Run(how+" "+name, func(t *testing.T) {
				s, p := rawPair(t, conn.Options{}, deflate)
				p.write(t, data)
				if len(data) == len(text) {
					mustReceive(t, s)
				}
				sending := inBackground(t, func() {
					for s.Send(t.Context(), conn.Bulk, frame(100_000)) == nil {
					}
				})
				end(p)
				err := receiveEnd(s)
				var bye *conn.PeerClosedError
				if errors.Is(err, conn.ErrClosed) || errors.Is(err, conn.ErrProtocol) || errors.As(err, &bye) {
					t.Errorf("receive: %v", err)
				}
				sending()
				if err := s.Send(t.Context(), conn.Control, frame(30)); err == nil {
					t.Error("sent to a peer that has vanished")
				}
				s.Close(conn.CodeNormal, "")
			})
		}
	}
}

// A peer that ends without goodbye, as all peers of the field do, has a name of its own.
func TestEndWithoutGoodbye(t *testing.T) {
	s, p := rawPair(t, conn.Options{}, "")
	p.write(t, rawFrame(bitFin|opText, numbered("last")))
	p.Close()
	if f := mustReceive(t, s); f.Task != "last" {
		t.Errorf("got task %q", f.Task)
	}
	if _, err := s.Receive(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

// A peer that has gone without a word is told none: the connection ends at once, and whoever uses it learns that it is closed.
func TestDrop(t *testing.T) {
	s, p := rawPair(t, conn.Options{}, "")
	if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("receive: %v", err)
	}
	s.Drop()
	if b, err := io.ReadAll(p.br); len(b) > 0 || err != nil {
		t.Errorf("the peer got %q, %v", b, err)
	}
	if err := s.Send(t.Context(), conn.Bulk, numbered("late")); !errors.Is(err, conn.ErrClosed) {
		t.Errorf("send: %v", err)
	}
	s.Drop() // a second time, and beside Close
	s.Close(conn.CodeNormal, "")
}

// A peer that will send no more may still listen: it gets what we have to say.
func TestHalfClosedPeer(t *testing.T) {
	s, p := rawPair(t, conn.Options{}, "")
	if err := p.Conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Receive(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("receive: %v", err)
	}
	mustSend(t, s, conn.Bulk, numbered("still there"))
	if got := p.tasks(t, 1); got[0] != "still there" {
		t.Errorf("peer got %q", got)
	}
	told := inBackground(t, func() { p.mustGoodbye(t, conn.CodeGoingAway) })
	s.Close(conn.CodeGoingAway, "")
	told()
}

// Why the peer has gone is still to be read when sending to it has failed already.
func TestGoodbyeAfterFailedSend(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows forgets what was received before a reset")
	}
	s, p := rawPair(t, conn.Options{}, "")
	p.write(t, rawFrame(bitFin|opText, numbered("last words")), rawFrame(bitFin|opClose, append([]byte{0x03, 0xf0}, "conflict"...)))
	p.reset()
	for s.Send(t.Context(), conn.Bulk, frame(1000)) == nil {
	}
	if f := mustReceive(t, s); f.Task != "last words" {
		t.Errorf("got task %q", f.Task)
	}
	var bye *conn.PeerClosedError
	if _, err := s.Receive(); !errors.As(err, &bye) || bye.Code != conn.CodePolicy || bye.Reason != "conflict" {
		t.Errorf("got %v", err)
	}
}

// Receive may be called for ever after the end, as a loop with a fault does: it returns the same error, and does not
// panic.
func TestReceiveAfterEnd(t *testing.T) {
	s, p := rawPair(t, conn.Options{}, "")
	p.Close()
	for range 2000 {
		if _, err := s.Receive(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("got %v", err)
		}
	}
}
