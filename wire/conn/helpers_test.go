package conn_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// serve answers every request on a loopback port with an upgrade, and gives the connections to handle, each on a
// goroutine of its own that the test waits for.
func serve(t testing.TB, opt conn.Options, handle func(*conn.Conn)) (url string) {
	var wg sync.WaitGroup
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, opt)
		if err != nil {
			return
		}
		wg.Go(func() { handle(c) })
	}))
	t.Cleanup(func() {
		srv.Close()
		wg.Wait()
	})
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}

// accept is serve for one connection that the test itself holds.
func accept(t testing.TB, opt conn.Options) (url string, accepted func() *conn.Conn) {
	ch := make(chan *conn.Conn, 1)
	url = serve(t, opt, func(c *conn.Conn) { ch <- c })
	return url, func() *conn.Conn {
		c := <-ch
		t.Cleanup(func() { c.Close(conn.CodeNormal, "") })
		return c
	}
}

// pair connects two of ours over loopback.
func pair(t testing.TB, server, client conn.Options) (s, c *conn.Conn) {
	t.Helper()
	url, accepted := accept(t, server)
	c, err := conn.Dialer{Options: client}.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(conn.CodeNormal, "") })
	return accepted(), c
}

// pipePair is pair without a network, for tests of time.
func pipePair(t testing.TB, server, client conn.Options) (s, c *conn.Conn) {
	t.Helper()
	near, far := net.Pipe()
	upgraded := make(chan *conn.Conn, 1)
	go func() { upgraded <- upgradeOn(t, far, server) }()
	c, err := dialOn(near, client)
	if err != nil {
		t.Fatal(err)
	}
	return <-upgraded, c
}

// dialOn shakes hands as a client on a connection that exists.
func dialOn(nc net.Conn, opt conn.Options) (*conn.Conn, error) {
	d := conn.Dialer{Options: opt, NetDial: func(context.Context, string, string) (net.Conn, error) { return nc, nil }}
	return d.Dial(context.Background(), "ws://test/ws/agent")
}

// upgradeOn shakes hands as a server on a connection that exists.
func upgradeOn(t testing.TB, nc net.Conn, opt conn.Options) *conn.Conn {
	br := bufio.NewReader(nc)
	req, err := http.ReadRequest(br)
	if err != nil {
		t.Error(err)
		return nil
	}
	w := &hijackable{httptest.NewRecorder(), nc, br}
	c, err := conn.Upgrade(w, req, opt)
	if err != nil {
		t.Error(err)
	}
	return c
}

// hijackable is a ResponseWriter on a connection that exists.
type hijackable struct {
	*httptest.ResponseRecorder
	nc net.Conn
	br *bufio.Reader
}

func (h *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.nc, bufio.NewReadWriter(h.br, bufio.NewWriter(h.nc)), nil
}

// gorillaDial connects a plain gorilla client.
func gorillaDial(t testing.TB, url string, d websocket.Dialer) *websocket.Conn {
	t.Helper()
	ws, _, err := d.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

// frame is a valid frame of n bytes, at least 21.
func frame(n int) []byte {
	const head, tail = `{"type":0,"errmsg":"`, `"}`
	return []byte(head + strings.Repeat("x", n-len(head)-len(tail)) + tail)
}

// mustReceive returns a copy of the text of the next frame.
func mustReceive(t testing.TB, c *conn.Conn) *wire.Frame {
	t.Helper()
	f, err := c.Receive()
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	return f
}

// receiveEnd receives until the connection ends, and returns why.
func receiveEnd(c *conn.Conn) error {
	for {
		_, err := c.Receive()
		var bad *conn.FrameError
		if err != nil && !errors.As(err, &bad) {
			return err
		}
	}
}

// discard reads until the network ends.
func discard(r io.Reader) { io.Copy(io.Discard, r) }
