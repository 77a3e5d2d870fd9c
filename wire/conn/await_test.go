package conn_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// A server that waits with Await and takes with Poll sees each message once and in order, and never waits for a message
// because a ping has come, however the bytes are cut.
func TestAwaitAndPoll(t *testing.T) {
	ping := func(s string) []byte { return rawFrame(bitFin|opPing, []byte(s)) }
	masked := []byte{bitFin | opPing, 0x80 | 5, 1, 2, 3, 4, 'h' ^ 1, 'e' ^ 2, 'l' ^ 3, 'l' ^ 4, 'o' ^ 1}
	text := func(task string) []byte { return rawFrame(bitFin|opText, numbered(task)) }
	long := rawFrame(bitFin|opText, []byte(`{"type":8,"tid":"long","x":"`+string(bytes.Repeat([]byte("x"), 9000))+`"}`))
	stream := slices.Concat(ping("1"), text("a"), masked, rawFrame(bitFin|opPong, nil), text("b"), long, ping("2"), text("c"),
		rawFrame(opText, numbered("d")[:5]), ping("between"), rawFrame(bitFin|opContinuation, numbered("d")[5:]), ping("last"))
	want := []string{"a", "b", "long", "c", "d"}
	for _, piece := range []int{1, 2, 7, 256, 257, 258, 4096, len(stream)} {
		s, p := rawPair(t, conn.Options{}, "")
		inBackground(t, func() {
			for part := range slices.Chunk(stream, piece) {
				if _, err := p.Write(part); err != nil {
					t.Error(err)
				}
			}
			if last := awaitPong(t, p); last != "last" {
				t.Errorf("the last pong is %q", last)
			}
			p.Close()
		})
		var got []string
		for {
			s.Await()
			f, err := s.Poll()
			if err != nil {
				break
			}
			if f != nil {
				got = append(got, f.Task)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("in pieces of %d bytes: %q, want %q", piece, got, want)
		}
	}
}

// awaitPong reads pongs until the one that answers the last ping.
func awaitPong(t *testing.T, p *rawPeer) string {
	for {
		first, payload, err := p.next()
		if err != nil {
			t.Error(err)
			return ""
		}
		if first == bitFin|opPong && string(payload) == "last" {
			return "last"
		}
	}
}

// What a peer does wrong with control frames ends the connection as it does for Receive.
func TestPollRefuses(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"unmasked": unmasked(bitFin|opPing, []byte("x")),
		"reserved": rawFrame(bitFin|bitCompressed|opPing, nil),
		"in parts": rawFrame(opPing, nil),
		"too long": rawFrame(bitFin|opPing, make([]byte, 126)),
		"unknown":  rawFrame(bitFin|0xb, nil),
	} {
		s, p := rawPair(t, conn.Options{}, "")
		p.write(t, bytes)
		inBackground(t, func() { p.mustGoodbye(t, conn.CodeProtocol) })
		s.Await()
		if f, err := s.Poll(); f != nil || !errors.Is(err, conn.ErrProtocol) {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}

// Whoever waits with Await learns of the end of the connection: of a peer that is silent, and of a Close of its own side.
func TestAwaitEnds(t *testing.T) {
	s, p := rawPair(t, conn.Options{IdleTimeout: 50 * time.Millisecond}, "")
	p.takeAll(t)
	s.Await()
	if _, err := s.Poll(); !errors.Is(err, conn.ErrIdle) {
		t.Errorf("silent peer: %v", err)
	}
	s, p = rawPair(t, conn.Options{}, "")
	p.takeAll(t)
	inBackground(t, func() { s.Close(conn.CodeNormal, "") })
	for {
		s.Await()
		if _, err := s.Poll(); errors.Is(err, conn.ErrClosed) {
			break
		} else if err != nil {
			t.Fatalf("closed: %v", err)
		}
	}
}
