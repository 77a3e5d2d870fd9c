package conn_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
)

// The opcodes and bits of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
	bitFin         = 0x80
	bitCompressed  = 0x40
)

// rawFrame is a WebSocket frame as a client sends it, with a mask of zeros: what hostile and broken peers may send.
func rawFrame(first byte, payload []byte) []byte {
	return append(rawHeader(first, 0x80, uint64(len(payload))), payload...)
}

// unmasked is rawFrame as a server sends it.
func unmasked(first byte, payload []byte) []byte {
	return append(rawHeader(first, 0, uint64(len(payload))), payload...)
}

func rawHeader(first, mask byte, size uint64) []byte {
	b := []byte{first}
	switch {
	case size <= 125:
		b = append(b, mask|byte(size))
	case size <= 65535:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(size))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), size)
	}
	if mask != 0 {
		b = append(b, 0, 0, 0, 0)
	}
	return b
}

// rawPeer is the far end of a connection, of which a test knows each byte.
type rawPeer struct {
	net.Conn
	br *bufio.Reader
}

// next reads one frame and returns its first byte and its payload without the mask.
func (p *rawPeer) next() (first byte, payload []byte, err error) {
	var h [2]byte
	if _, err := io.ReadFull(p.br, h[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(h[1] & 0x7f)
	var ext [8]byte
	switch size {
	case 126:
		_, err = io.ReadFull(p.br, ext[6:])
		size = binary.BigEndian.Uint64(ext[:])
	case 127:
		_, err = io.ReadFull(p.br, ext[:])
		size = binary.BigEndian.Uint64(ext[:])
	}
	if err != nil {
		return 0, nil, err
	}
	var key [4]byte
	if h[1]&0x80 != 0 {
		if _, err := io.ReadFull(p.br, key[:]); err != nil {
			return 0, nil, err
		}
	}
	payload = make([]byte, size)
	if _, err := io.ReadFull(p.br, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	return h[0], payload, nil
}

// message reads one message, which may come in fragments.
func (p *rawPeer) message() ([]byte, error) {
	var message []byte
	for {
		first, payload, err := p.next()
		if err != nil {
			return nil, err
		}
		if first&opClose == 0 {
			if message = append(message, payload...); first&bitFin != 0 {
				return message, nil
			}
		}
	}
}

// takeAll reads whatever comes, until the end of the test.
func (p *rawPeer) takeAll(t testing.TB) {
	inBackground(t, func() { io.Copy(io.Discard, p.br) })
	t.Cleanup(func() { p.Close() })
}

// goodbye reads until a close frame, and returns its code and reason.
func (p *rawPeer) goodbye() (code int, reason string, err error) {
	for {
		first, payload, err := p.next()
		if err != nil {
			return 0, "", err
		}
		if first == bitFin|opClose && len(payload) >= 2 {
			return int(binary.BigEndian.Uint16(payload)), string(payload[2:]), nil
		}
	}
}

// mustGoodbye checks how the connection said goodbye.
func (p *rawPeer) mustGoodbye(t testing.TB, want int) {
	t.Helper()
	code, reason, err := p.goodbye()
	if err != nil || code != want {
		t.Errorf("peer got goodbye %d %q, %v; want %d", code, reason, err, want)
	}
}

// write writes frames at once.
func (p *rawPeer) write(t testing.TB, frames ...[]byte) {
	t.Helper()
	if _, err := p.Write(bytes.Join(frames, nil)); err != nil {
		t.Errorf("peer: %v", err)
	}
}

const testKey = "AAAAAAAAAAAAAAAAAAAAAA=="

// rawUpgrade is a client's side of the handshake, by hand.
func rawUpgrade(t testing.TB, nc net.Conn, extensions string) *rawPeer {
	t.Helper()
	p := &rawPeer{nc, bufio.NewReader(nc)}
	fmt.Fprintf(nc, "GET /ws/agent HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nSec-WebSocket-Extensions: %s\r\n\r\n", testKey, extensions)
	resp, err := http.ReadResponse(p.br, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("upgrade answered with %s", resp.Status)
	}
	return p
}

// rawDial connects a raw client to a server of ours.
func rawDial(t testing.TB, rawURL, extensions string) *rawPeer {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return rawUpgrade(t, nc, extensions)
}

// rawAccept is a server's side of the handshake, by hand.
func rawAccept(t testing.TB, nc net.Conn) *rawPeer {
	p := &rawPeer{nc, bufio.NewReader(nc)}
	req, err := http.ReadRequest(p.br)
	if err != nil {
		t.Error(err)
		return p
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	return p
}

// deflated is data as permessage-deflate sends it.
func deflated(t testing.TB, data []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
}

const deflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
