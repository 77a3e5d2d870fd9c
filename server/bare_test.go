package server_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
)

// upgrade makes a WebSocket that is written and read frame by frame.
func upgrade(t testing.TB, f *fixture) net.Conn {
	t.Helper()
	c, err := f.dial()
	if err != nil {
		t.Fatal(err)
	}
	upgraded(t, c)
	return c
}

// upgraded makes a connection a WebSocket. It reads no byte too many.
func upgraded(t testing.TB, c io.ReadWriter) {
	t.Helper()
	upgradedWith(t, c, "")
}

// upgradedWith is upgraded with more headers in the request.
func upgradedWith(t testing.TB, c io.ReadWriter, headers string) {
	t.Helper()
	if _, err := io.WriteString(c, "GET /ws/agent HTTP/1.1\r\nHost: server\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"+headers+"\r\n"); err != nil {
		t.Fatal(err)
	}
	var head []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(head), "\r\n\r\n"); head = append(head, b...) {
		if _, err := io.ReadFull(c, b); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(string(head), "HTTP/1.1 101 ") {
		t.Fatalf("upgrade: %s", head)
	}
}

// writeFrame writes one masked WebSocket frame of fewer than 65536 bytes.
func writeFrame(t testing.TB, w io.Writer, opcode byte, text string) {
	t.Helper()
	b := []byte{0x80 | opcode, 0x80 | byte(min(len(text), 126))}
	if len(text) >= 126 {
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	}
	b = append(append(b, 0, 0, 0, 0), text...) // a mask of zeros
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
}

// readFrame reads one frame of fewer than 65536 bytes.
func readFrame(t testing.TB, r io.Reader) (opcode byte, text string) {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	n := int(head[1] & 0x7f)
	if n == 126 {
		size := make([]byte, 2)
		if _, err := io.ReadFull(r, size); err != nil {
			t.Fatal(err)
		}
		n = int(binary.BigEndian.Uint16(size))
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return head[0] & 0x0f, string(b)
}
