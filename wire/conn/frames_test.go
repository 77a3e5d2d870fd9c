package conn_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// Agents and servers with and without compression are in the field: each combination carries frames of each size.
func TestCompressionAndSizes(t *testing.T) {
	sizes := []int{23, 125, 126, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 200_000, 1 << 20}
	for _, off := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
		t.Run(fmt.Sprintf("server off %v, client off %v", off[0], off[1]), func(t *testing.T) {
			s, c := pair(t, conn.Options{NoCompression: off[0]}, conn.Options{NoCompression: off[1]})
			for _, d := range []struct {
				name     string
				from, to *conn.Conn
			}{{"to the server", c, s}, {"to the client", s, c}} {
				inBackground(t, func() {
					for _, n := range sizes {
						mustSend(t, d.from, conn.Bulk, frame(n))
					}
				})
				for _, n := range sizes {
					f := mustReceive(t, d.to)
					if got, want := len(f.Error), n-len(frame(23))+1; got != want || strings.Trim(f.Error, "x") != "" {
						t.Fatalf("%s: frame of %d bytes came with a text of %d, want %d", d.name, n, got, want)
					}
				}
			}
		})
	}
}

// Compression is what an operator pays with CPU for bandwidth, so it must really happen, from the size that he says on.
func TestCompressFrom(t *testing.T) {
	s, p := rawPair(t, conn.Options{CompressFrom: 1000}, deflate)
	inBackground(t, func() { mustSend(t, s, conn.Bulk, frame(999), frame(1000)) })
	first, payload, err := p.next()
	if err != nil || first != bitFin|opText || len(payload) != 999 {
		t.Errorf("frame of 999 bytes came as %#x with %d bytes, %v", first, len(payload), err)
	}
	first, payload, err = p.next()
	if err != nil || first != bitFin|bitCompressed|opText || len(payload) > 100 {
		t.Errorf("frame of 1000 bytes came as %#x with %d bytes, %v", first, len(payload), err)
	}
}

// A plain gorilla peer as it is in the field: compresses everything or nothing, sends JSON in binary frames and with a
// line feed at the end, pings, and ends without a close frame.
func TestFieldAgent(t *testing.T) {
	for _, compression := range []bool{true, false} {
		t.Run(fmt.Sprintf("compression %v", compression), func(t *testing.T) {
			url, accepted := accept(t, conn.Options{})
			ws := gorillaDial(t, url, compression)
			s := accepted()
			pongs := make(chan string, 3)
			ws.SetPongHandler(func(data string) error { pongs <- data; return nil })
			inBackground(t, func() {
				ws.ReadMessage() // as agents do, though nothing but pongs comes
			})
			send := func(kind int, text string) {
				if err := ws.WriteMessage(kind, []byte(text)); err != nil {
					t.Error(err)
				}
			}
			send(websocket.TextMessage, `{"type":1,"tid":"a"}`+"\n")
			send(websocket.BinaryMessage, `{"type":1,"tid":"b"}`)
			for i := range 3 {
				if err := ws.WriteMessage(websocket.PingMessage, nil); err != nil {
					t.Error(err)
				}
				send(websocket.TextMessage, fmt.Sprintf(`{"type":1,"tid":"%d"}`, i))
			}
			for _, want := range []string{"a", "b", "0", "1", "2"} {
				if f := mustReceive(t, s); f.Task != want {
					t.Errorf("got task %q, want %q", f.Task, want)
				}
			}
			if data := <-pongs; data != "" {
				t.Errorf("pong carries %q", data)
			}
			ws.Close() // without a close frame
			if err := receiveEnd(s); err == nil || errors.Is(err, conn.ErrProtocol) {
				t.Errorf("end of the field's way is %v", err)
			}
		})
	}
}

// A frame that is no message is counted and dropped by whoever receives; the connection of an agent that has a fault
// must live on.
func TestFrameErrors(t *testing.T) {
	s, p := rawPair(t, conn.Options{}, "")
	for _, bad := range []string{"", " ", "x", "null", "[]", `{}`, `{"type":`, `{"type":"1"}`, `{"type":1}{"type":1}`, strings.Repeat("[", 10_000)} {
		p.write(t, rawFrame(bitFin|opText, []byte(bad)), rawFrame(bitFin|opText, numbered("after")))
		_, err := s.Receive()
		var fe *conn.FrameError
		if !errors.As(err, &fe) || fe.Len != len(bad) || fe.Err == nil || fe.Error() == "" {
			t.Errorf("%.20q gives %v", bad, err)
		}
		if f := mustReceive(t, s); f.Task != "after" {
			t.Errorf("after %.20q: task %q", bad, f.Task)
		}
	}
	if in := s.Stats().InFrames; in != 20 {
		t.Errorf("%d frames counted", in)
	}
}

// Text that is not UTF-8 ends a connection with 1007 (RFC 6455, section 8.1), whatever else is wrong with it.
func TestInvalidUTF8(t *testing.T) {
	for _, bad := range []string{"{\"type\":0,\"errmsg\":\"\xff\"}", "\xc3", "{\"type\":0,\"errmsg\":\"\xed\xa0\x80\"}"} {
		s, p := rawPair(t, conn.Options{}, "")
		p.write(t, rawFrame(bitFin|opText, []byte(bad)))
		told := inBackground(t, func() {
			p.mustGoodbye(t, conn.CodeBadData)
			p.Close()
		})
		if _, err := s.Receive(); !errors.Is(err, wire.ErrUTF8) {
			t.Errorf("%q gives %v", bad, err)
		}
		told()
		if _, err := s.Receive(); !errors.Is(err, wire.ErrUTF8) {
			t.Errorf("%q gives %v later", bad, err)
		}
		if err := s.Send(t.Context(), conn.Bulk, frame(30)); !errors.Is(err, conn.ErrClosed) {
			t.Errorf("send after that: %v", err)
		}
	}
}

// A message up to the limit is taken, whatever it looks like on its way, and one byte more is refused with 1009.
func TestMaxMessage(t *testing.T) {
	const limit = 10_000
	noise := frame(limit)
	for i, x := 22, uint32(1); i < len(noise)-2; i++ { // text that gets larger by compression
		x = x*1664525 + 1013904223
		noise[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[x>>26]
	}
	over := frame(limit + 1)
	cases := map[string][]byte{
		"plain":      rawFrame(bitFin|opText, over),
		"compressed": rawFrame(bitFin|bitCompressed|opText, deflated(t, over)),
		"fragments":  append(rawFrame(opText, over[:limit]), rawFrame(bitFin|opContinuation, over[limit:])...),
	}
	for name, tooBig := range cases {
		t.Run(name, func(t *testing.T) {
			s, p := rawPair(t, conn.Options{MaxMessage: limit}, deflate)
			p.write(t, rawFrame(bitFin|opText, frame(limit)), rawFrame(bitFin|bitCompressed|opText, deflated(t, frame(limit))),
				rawFrame(bitFin|bitCompressed|opText, deflated(t, noise)), tooBig)
			for range 3 {
				mustReceive(t, s)
			}
			inBackground(t, func() {
				p.mustGoodbye(t, conn.CodeTooBig)
				p.Close()
			})
			if _, err := s.Receive(); !errors.Is(err, conn.ErrTooBig) {
				t.Errorf("one byte over the limit: %v", err)
			}
		})
	}
}

// A server allows more after the handshake.
func TestSetLimits(t *testing.T) {
	s, p := rawPair(t, conn.Options{MaxMessage: 100}, "")
	p.write(t, rawFrame(bitFin|opText, frame(100)))
	mustReceive(t, s)
	s.SetLimits(100_000, -1)
	p.write(t, rawFrame(bitFin|opText, frame(100_000)))
	mustReceive(t, s)
	s.SetLimits(50, -1)
	p.write(t, rawFrame(bitFin|opText, frame(51)))
	inBackground(t, func() {
		p.mustGoodbye(t, conn.CodeTooBig)
		p.Close()
	})
	if _, err := s.Receive(); !errors.Is(err, conn.ErrTooBig) {
		t.Errorf("over the new limit: %v", err)
	}
}

// What is counted is what goes into the monitor's report: frames, and bytes before compression.
func TestStats(t *testing.T) {
	s, c := pair(t, conn.Options{}, conn.Options{})
	sent := inBackground(t, func() { mustSend(t, c, conn.Bulk, frame(100), frame(10_000)) })
	mustReceive(t, s)
	mustReceive(t, s)
	sent()
	if got, want := c.Stats(), (conn.Stats{OutFrames: 2, OutBytes: 10_100}); got != want {
		t.Errorf("sender: %+v, want %+v", got, want)
	}
	if got, want := s.Stats(), (conn.Stats{InFrames: 2, InBytes: 10_100}); got != want {
		t.Errorf("receiver: %+v, want %+v", got, want)
	}
}
