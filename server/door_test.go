package server_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// byteByByte writes one byte at a time.
type byteByByte struct{ net.Conn }

func (c byteByByte) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := c.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

// On one port, TLS and plain HTTP are told apart however the bytes come, and beside one who says nothing; what a handler is
// told of the connection is true.
func TestOnePortForBoth(t *testing.T) {
	f := startFleet(t, server.Config{Agents: server.AgentsConfig{Auth: "open"}})
	dial := func() net.Conn {
		c, err := net.Dial("tcp", f.AgentAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	dial() // says nothing
	h := f.enrolled(t, "host-18")
	for name, c := range map[string]io.ReadWriter{
		"plain":               dial(),
		"plain, byte by byte": byteByByte{dial()},
		"TLS":                 tls.Client(dial(), h.tls()),
		"TLS, byte by byte":   tls.Client(byteByByte{dial()}, h.tls()),
	} {
		upgraded(t, c)
		writeFrame(t, c, 1, `{"type":1,"come":{"id":"host-18","name":"exec-agent"}}`)
		_, answer := readFrame(t, c)
		ok := strings.Contains(answer, `"ok":true`)
		if want := strings.HasPrefix(name, "TLS"); ok != want {
			t.Errorf("%s: the id of an agent that is enrolled: %s", name, answer)
		}
		if ok {
			writeFrame(t, c, 8, "\x03\xe8") // goodbye: the next one has the same id
			c.(io.Closer).Close()
			until(t, func() bool {
				_, err := f.Get(t.Context(), "host-18")
				return err != nil
			})
		}
	}
	for _, said := range []string{"\x16\x03\x01\x00\x01x", "\x16"} {
		c := dial()
		fmt.Fprint(c, said)
		if tcp := c.(*net.TCPConn); said == "\x16" {
			tcp.CloseWrite()
		}
		b, _ := io.ReadAll(c)
		if strings.Contains(string(b), "HTTP") {
			t.Errorf("%q is answered with %q", said, b)
		}
		until(t, func() bool { return strings.Contains(f.logs.String(), "TLS handshake error") })
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+f.AgentAddr().String()+"/agent/ca", nil)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{TLSClientConfig: h.tls()}
	defer tr.CloseIdleConnections()
	for range 2 { // the second request on the connection of the first
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s %v", resp.Status, err)
		}
		resp.Body.Close()
	}
}
