package conn_test

import (
	"bufio"
	"context"
	"errors"
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

// accept is serve for connections that the test itself holds.
func accept(t testing.TB, opt conn.Options) (url string, accepted func() *conn.Conn) {
	ch := make(chan *conn.Conn)
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
	s = accepted()
	t.Cleanup(func() { // both at once: one alone would wait for the other, which nobody receives from
		inBackground(t, func() { s.Close(conn.CodeNormal, "") })
		c.Close(conn.CodeNormal, "")
	})
	return s, c
}

// rawPair connects one of ours, the server, with a raw client over loopback.
func rawPair(t testing.TB, opt conn.Options, extensions string) (*conn.Conn, *rawPeer) {
	t.Helper()
	url, accepted := accept(t, opt)
	p := rawDial(t, url, extensions)
	c := accepted()
	t.Cleanup(func() { p.Close() }) // before c, which would wait for it
	return c, p
}

// pipe connects one of ours, the client, with a raw server, and no network between them: a byte is written when it is
// read.
func pipe(t testing.TB, opt conn.Options) (*conn.Conn, *rawPeer) {
	t.Helper()
	near, far := net.Pipe()
	up := make(chan *rawPeer)
	go func() { up <- rawAccept(t, far) }()
	c, err := dialOn(near, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		far.Close()
		c.Close(conn.CodeNormal, "")
	})
	return c, <-up
}

// dialOn shakes hands as a client on a connection that exists.
func dialOn(nc net.Conn, opt conn.Options) (*conn.Conn, error) {
	return conn.Dialer{Options: opt, NetDial: pipeDialer(nc)}.Dial(context.Background(), "ws://test/ws/agent")
}

// pipeDialer dials a connection that exists.
func pipeDialer(nc net.Conn) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) { return nc, nil }
}

// upgradeOn shakes hands as a server on a connection that exists.
func upgradeOn(t testing.TB, nc net.Conn, opt conn.Options) *conn.Conn {
	br := bufio.NewReader(nc)
	req, err := http.ReadRequest(br)
	if err != nil {
		t.Error(err)
		return nil
	}
	c, err := conn.Upgrade(&hijackable{httptest.NewRecorder(), nc, br}, req, opt)
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
func gorillaDial(t testing.TB, url string, compression bool) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{EnableCompression: compression}
	ws, _, err := d.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

// frame is a valid frame of n bytes, 23 at least.
func frame(n int) []byte {
	const head, tail = `{"type":0,"errmsg":"`, `"}`
	return []byte(head + strings.Repeat("x", n-len(head)-len(tail)) + tail)
}

// numbered is a frame that a test can tell from others.
func numbered(task string) []byte { return []byte(`{"type":8,"tid":"` + task + `"}`) }

func mustReceive(t testing.TB, c *conn.Conn) *wire.Frame {
	t.Helper()
	f, err := c.Receive()
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	return f
}

func mustSend(t testing.TB, c *conn.Conn, lane conn.Lane, frames ...[]byte) {
	t.Helper()
	if err := c.Send(t.Context(), lane, frames...); err != nil {
		t.Errorf("send: %v", err)
	}
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

// inBackground runs fn, and waits for it before what was set up earlier is taken down.
func inBackground(t testing.TB, fn func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	wait = func() { <-done }
	t.Cleanup(wait)
	return wait
}
