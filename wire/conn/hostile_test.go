package conn_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// What violates RFC 6455 or RFC 7692 ends the connection with 1002, also while this side is sending.
func TestProtocolViolations(t *testing.T) {
	text := frame(100)
	violations := map[string][]byte{
		"no mask":                       unmasked(bitFin|opText, text),
		"compression not negotiated":    rawFrame(bitFin|bitCompressed|opText, text),
		"reserved bit":                  rawFrame(bitFin|0x20|opText, text),
		"unknown opcode":                rawFrame(bitFin|0x3, text),
		"unknown control opcode":        rawFrame(bitFin|0xb, nil),
		"continuation of nothing":       rawFrame(bitFin|opContinuation, text),
		"message within a message":      append(rawFrame(opText, text[:10]), rawFrame(bitFin|opText, text)...),
		"long ping":                     rawFrame(bitFin|opPing, make([]byte, 126)),
		"fragmented ping":               rawFrame(opPing, nil),
		"impossible close code":         rawFrame(bitFin|opClose, []byte{0x03, 0xed}),
		"goodbye that is no UTF-8":      rawFrame(bitFin|opClose, []byte{0x03, 0xe8, 0xff}),
		"no deflate":                    nil, // below, where compression is negotiated
		"deflate that ends too soon":    nil,
		"deflate with a length of lies": nil,
	}
	deflated := deflated(t, bytes.Repeat([]byte("abcdefgh"), 1000))
	compressed := map[string][]byte{
		"no deflate":                    rawFrame(bitFin|bitCompressed|opText, []byte("\xff\xff\xff\xff\xff")),
		"deflate that ends too soon":    rawFrame(bitFin|bitCompressed|opText, deflated[:len(deflated)/2]),
		"deflate with a length of lies": rawFrame(bitFin|bitCompressed|opText, []byte{0x00, 0x05, 0x00, 0x12, 0x34}),
	}
	for name, violation := range violations {
		for _, sending := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				extensions := ""
				if violation == nil {
					violation, extensions = compressed[name], deflate
				}
				s, p := rawPair(t, conn.Options{}, extensions)
				inBackground(t, func() {
					p.mustGoodbye(t, conn.CodeProtocol)
					p.Close()
				})
				var sent func()
				if sending {
					sent = inBackground(t, func() {
						for s.Send(t.Context(), conn.Bulk, frame(100_000), frame(30)) == nil {
						}
					})
				}
				p.write(t, violation)
				if err := receiveEnd(s); !errors.Is(err, conn.ErrProtocol) {
					t.Errorf("receive: %v", err)
				}
				if sending {
					sent()
				}
				s.Close(conn.CodeNormal, "")
			})
		}
	}
}

// A length beyond all bounds is a message that is too big, not a crash, and not a second of work.
func TestImpossibleLengths(t *testing.T) {
	for name, header := range map[string][]byte{
		"largest":  rawHeader(bitFin|opText, 0x80, 1<<63-1),
		"negative": rawHeader(bitFin|opText, 0x80, 1<<63),
		"sum":      append(rawFrame(opText, []byte("{")), rawHeader(bitFin|opContinuation, 0x80, 1<<63-1)...),
	} {
		t.Run(name, func(t *testing.T) {
			s, p := rawPair(t, conn.Options{}, "")
			p.write(t, header)
			inBackground(t, func() {
				p.mustGoodbye(t, conn.CodeTooBig)
				p.Close()
			})
			if err := receiveEnd(s); !errors.Is(err, conn.ErrTooBig) {
				t.Errorf("receive: %v", err)
			}
		})
	}
}

// Messages that would fill the memory, announced, in fragments or as a bomb of compression, cost no more than the limit
// allows, and are refused with 1009.
func TestMemoryOfHugeMessages(t *testing.T) {
	const limit = 1 << 20
	piece := rawFrame(opContinuation, make([]byte, 1<<16))
	bomb := rawFrame(bitFin|bitCompressed|opText, deflated(t, make([]byte, 100<<20)))
	for name, c := range map[string]struct {
		most uint64 // bytes that may be allocated
		send func(io.Writer)
	}{
		"announced": {limit / 2, func(w io.Writer) {
			w.Write(rawHeader(bitFin|opText, 0x80, 100<<20))
			for range 100 << 4 {
				w.Write(piece)
			}
		}},
		"in fragments": {4 * limit, func(w io.Writer) {
			w.Write(rawFrame(opText, nil))
			for range 100 << 4 {
				w.Write(piece)
			}
		}},
		"bomb": {4 * limit, func(w io.Writer) { w.Write(bomb) }},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := rawPair(t, conn.Options{MaxMessage: limit}, deflate)
			inBackground(t, func() {
				p.mustGoodbye(t, conn.CodeTooBig)
				p.Close()
			})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			inBackground(t, func() { c.send(p.Conn) })
			if err := receiveEnd(s); !errors.Is(err, conn.ErrTooBig) {
				t.Errorf("receive: %v", err)
			}
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > c.most {
				t.Errorf("allocated %d bytes, want at most %d", got, c.most)
			}
		})
	}
}

// A million empty fragments and pings are one message, and cost no memory.
func TestManySmallFragments(t *testing.T) {
	s, p := rawPair(t, conn.Options{}, "")
	var b bytes.Buffer
	b.Write(rawFrame(opText, []byte(`{"type":8,`)))
	for range 50_000 {
		b.Write(rawFrame(opContinuation, nil))
		b.Write(rawFrame(bitFin|opPong, nil))
	}
	b.Write(rawFrame(bitFin|opContinuation, []byte(`"tid":"x"}`)))
	inBackground(t, func() { p.write(t, b.Bytes()) })
	if f := mustReceive(t, s); f.Task != "x" {
		t.Errorf("got task %q", f.Task)
	}
}

// A message may arrive in any pieces: the frames that come out are the same.
func TestArrivalInPieces(t *testing.T) {
	var all []byte
	const n = 40
	for i := range n {
		f := rawFrame(bitFin|opText, frame(23+i*37))
		if i%3 == 0 {
			f = rawFrame(bitFin|bitCompressed|opText, deflated(t, frame(23+i*37)))
		}
		all = append(append(all, f...), rawFrame(bitFin|opPong, make([]byte, i))...)
	}
	for _, size := range []int{1, 2, 3, 7, 127, 511, 512, 513, 1024, 4095, 4096, 4097, len(all)} {
		near, far := net.Pipe()
		up := make(chan *conn.Conn)
		go func() { up <- upgradeOn(t, far, conn.Options{}) }()
		p := rawUpgrade(t, near, deflate)
		s := <-up
		inBackground(t, func() {
			for rest := all; len(rest) > 0; {
				k := min(size, len(rest))
				if _, err := p.Write(rest[:k]); err != nil {
					t.Error(err)
					return
				}
				rest = rest[k:]
			}
			p.Close()
		})
		for i := range n {
			if f := mustReceive(t, s); len(f.Error) != 1+i*37 {
				t.Fatalf("in pieces of %d: frame %d has a text of %d bytes", size, i, len(f.Error))
			}
		}
		if err := receiveEnd(s); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("in pieces of %d: %v", size, err)
		}
		s.Close(conn.CodeNormal, "")
	}
}
