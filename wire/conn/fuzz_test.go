package conn_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// scriptConn is a peer that sends what it has, in pieces of a size, and takes everything.
type scriptConn struct {
	data  []byte
	piece int
}

func (c *scriptConn) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.data[:min(len(c.data), c.piece)])
	if c.data = c.data[n:]; len(c.data) == 0 && c.piece%2 == 1 {
		return n, io.EOF // as an io.Reader may
	}
	return n, nil
}

func (*scriptConn) Write(p []byte) (int, error)      { return len(p), nil }
func (*scriptConn) Close() error                     { return nil }
func (*scriptConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*scriptConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*scriptConn) SetDeadline(time.Time) error      { return nil }
func (*scriptConn) SetReadDeadline(time.Time) error  { return nil }
func (*scriptConn) SetWriteDeadline(time.Time) error { return nil }

// upgradeScript is the server's end of a connection whose client sends data.
func upgradeScript(t testing.TB, data []byte, piece int, up func(http.ResponseWriter, *http.Request) error) {
	nc := &scriptConn{data, piece}
	w := &hijackable{httptest.NewRecorder(), nc, bufio.NewReader(nc)}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {testKey}, "Sec-Websocket-Extensions": {deflate},
	}
	if err := up(w, r); err != nil {
		t.Fatal(err)
	}
}

const fuzzLimit = 100_000

// ourMessages returns what Receive makes of data: the frames, nil for those with an error, and the end.
func ourMessages(t testing.TB, data []byte, piece int) (messages []*wire.Frame, end error) {
	upgradeScript(t, data, piece, func(w http.ResponseWriter, r *http.Request) error {
		c, err := conn.Upgrade(w, r, conn.Options{MaxMessage: fuzzLimit})
		if err != nil {
			return err
		}
		defer c.Close(conn.CodeNormal, "")
		for {
			f, err := c.Receive()
			var bad *conn.FrameError
			if err != nil && !errors.As(err, &bad) {
				end = err
				return nil
			}
			messages = append(messages, f)
		}
	})
	return messages, end
}

// gorillaMessages returns what plain gorilla makes of data, up to the first message that is too big or not UTF-8.
func gorillaMessages(t testing.TB, data []byte) (messages [][]byte) {
	upgradeScript(t, data, 1<<20, func(w http.ResponseWriter, r *http.Request) error {
		up := websocket.Upgrader{EnableCompression: true}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return err
		}
		for {
			_, m, err := ws.NextReader()
			if err != nil {
				return nil
			}
			b, err := io.ReadAll(io.LimitReader(m, fuzzLimit+1))
			if err != nil || len(b) > fuzzLimit || !utf8.Valid(b) {
				return nil
			}
			messages = append(messages, b)
		}
	})
	return messages
}

// Whatever a peer sends, in whatever pieces it comes: Receive ends with an error of ours, does not panic, and has taken
// from it the messages that plain gorilla takes.
func FuzzReceive(f *testing.F) {
	text := rawFrame(bitFin|opText, numbered("x"))
	f.Add(bytes.Repeat(text, 100), uint16(700))
	f.Add(append(rawFrame(bitFin|bitCompressed|opText, deflated(f, frame(5000))), text...), uint16(1))
	f.Add(append(rawFrame(opText, []byte(`{"type":`)), append(rawFrame(bitFin|opPing, []byte("p")), rawFrame(bitFin|opContinuation, []byte("8}"))...)...), uint16(5))
	f.Add(append(text, rawFrame(bitFin|opClose, []byte{0x03, 0xe8})...), uint16(512))
	f.Add(append(rawHeader(bitFin|opText, 0x80, fuzzLimit+1), text...), uint16(3))
	f.Add(rawFrame(bitFin|opText, []byte("\xff")), uint16(9))
	f.Add(unmasked(bitFin|opText, frame(30)), uint16(9))
	f.Fuzz(func(t *testing.T, data []byte, piece uint16) {
		messages, end := ourMessages(t, data, 1+int(piece))
		var bye *conn.PeerClosedError
		switch {
		case errors.Is(end, io.ErrUnexpectedEOF), errors.Is(end, conn.ErrTooBig), errors.Is(end, conn.ErrProtocol),
			errors.Is(end, wire.ErrUTF8), errors.As(end, &bye):
		default:
			t.Fatalf("ended with %v", end)
		}
		want := gorillaMessages(t, data)
		if len(messages) != len(want) {
			t.Fatalf("%d messages, gorilla has %d; ended with %v", len(messages), len(want), end)
		}
		for i, b := range want {
			parsed, err := wire.Parse(b)
			if (err == nil) != (messages[i] != nil) {
				t.Fatalf("message %d: parsed with %v, received %v", i, err, messages[i])
			}
			if err == nil && (fmt.Sprint(parsed.Type, parsed.Task, parsed.Error) != fmt.Sprint(messages[i].Type, messages[i].Task, messages[i].Error)) {
				t.Fatalf("message %d: %v, received %v", i, parsed, messages[i])
			}
		}
	})
}
