package conn_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// What is no upgrade of an agent is answered as HTTP, so that a person with a browser or curl sees why.
func TestUpgradeRefuses(t *testing.T) {
	var errs []error
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{})
		if err == nil {
			c.Close(conn.CodeNormal, "")
		}
		errs = append(errs, err)
	}))
	defer srv.Close()
	good := func() http.Header {
		return http.Header{
			"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {testKey},
		}
	}
	for _, c := range []struct {
		name, method string
		change       func(http.Header)
		status       int
		text         string
	}{
		{"plain", "GET", func(h http.Header) { clear(h) }, 400, "Bad Request"},
		{"post", "POST", func(http.Header) {}, 405, "Method Not Allowed"},
		{"no key", "GET", func(h http.Header) { h.Del("Sec-Websocket-Key") }, 400, "Bad Request"},
		{"old version", "GET", func(h http.Header) { h.Set("Sec-Websocket-Version", "8") }, 400, "Bad Request"},
		{"HTTP/2 of old", "GET", func(h http.Header) { h.Set("Upgrade", "h2c") }, 400, "Bad Request"},
		{"browser", "GET", func(h http.Header) { h.Set("Origin", "https://evil.example") }, 403, "agents send no Origin"},
		{"browser in a sandbox", "GET", func(h http.Header) { h.Set("Origin", "null") }, 403, "agents send no Origin"},
		{"empty origin", "GET", func(h http.Header) { h["Origin"] = []string{""} }, 403, "agents send no Origin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), c.method, srv.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = good()
			c.change(req.Header)
			resp, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != c.status || strings.TrimSpace(string(body)) != c.text {
				t.Errorf("answered with %d %q, %v; want %d %q", resp.StatusCode, body, err, c.status, c.text)
			}
			if err := errs[len(errs)-1]; err == nil || !strings.HasPrefix(err.Error(), "upgrade: ") {
				t.Errorf("Upgrade returned %v", err)
			}
		})
	}
}

// A client that talks before it was answered could smuggle data past a proxy: it is cut off, and nothing is written to
// the log of the HTTP server for it.
func TestDataBeforeUpgrade(t *testing.T) {
	var logged bytes.Buffer
	result := make(chan error, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := conn.Upgrade(w, r, conn.Options{})
		result <- err
	}))
	srv.Config.ErrorLog = log.New(&logged, "", 0)
	srv.Start()
	nc, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n%s", testKey, rawFrame(bitFin|opText, frame(30)))
	if err := <-result; err == nil || !strings.Contains(err.Error(), "before handshake") {
		t.Errorf("Upgrade returned %v", err)
	}
	if answer, err := io.ReadAll(nc); len(answer) > 0 && err == nil {
		t.Errorf("client was answered %q", answer)
	}
	srv.Close()
	if logged.Len() > 0 {
		t.Errorf("logged %s", &logged)
	}
}

// A ResponseWriter that cannot give its connection away, such as that of HTTP/2, is answered as well.
func TestUpgradeWithoutHijacker(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {testKey}}
	if _, err := conn.Upgrade(w, r, conn.Options{}); err == nil || w.Code != 500 {
		t.Errorf("answered with %d, %v", w.Code, err)
	}
}

// A middleware that wraps the ResponseWriter does not stand in the way.
func TestUpgradeThroughWrapper(t *testing.T) {
	done := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(wrapper{w}, r, conn.Options{})
		if err == nil {
			c.Close(conn.CodeNormal, "")
		}
		done <- err
	}))
	defer srv.Close()
	p := rawDial(t, "ws"+strings.TrimPrefix(srv.URL, "http"), "")
	p.mustGoodbye(t, conn.CodeNormal)
	p.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type wrapper struct{ w http.ResponseWriter }

func (w wrapper) Header() http.Header         { return w.w.Header() }
func (w wrapper) Write(p []byte) (int, error) { return w.w.Write(p) }
func (w wrapper) WriteHeader(status int)      { w.w.WriteHeader(status) }
func (w wrapper) Unwrap() http.ResponseWriter { return w.w }

// A client that asks for an upgrade and takes nothing of the answer holds its handler no longer than the write timeout.
func TestUpgradeStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {testKey}}
		begin := time.Now()
		_, err := conn.Upgrade(&hijackable{httptest.NewRecorder(), near, bufio.NewReader(near)}, r, conn.Options{WriteTimeout: 4 * time.Second})
		if !errors.Is(err, conn.ErrStalled) {
			t.Errorf("got %v", err)
		}
		since(t, begin, 4*time.Second, 4*time.Second)
		if _, err := far.Write([]byte("x")); err == nil {
			t.Error("connection is still open")
		}
	})
}

// The deadlines that an HTTP server has set for a request do not end the connection that it becomes.
func TestServerTimeouts(t *testing.T) {
	var wg sync.WaitGroup
	accepted := make(chan *conn.Conn)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
		http.NewResponseController(w).SetWriteDeadline(time.Unix(1, 0))
		c, err := conn.Upgrade(w, r, conn.Options{})
		if err != nil {
			t.Error(err)
			return
		}
		wg.Go(func() { accepted <- c })
	}))
	srv.Start()
	defer srv.Close()
	defer wg.Wait()
	p := rawDial(t, "ws"+strings.TrimPrefix(srv.URL, "http"), "")
	s := <-accepted
	p.write(t, rawFrame(bitFin|opText, numbered("x")))
	mustReceive(t, s)
	mustSend(t, s, conn.Bulk, numbered("y"))
	if got := p.tasks(t, 1); got[0] != "y" {
		t.Errorf("got %q", got)
	}
	p.Close()
	s.Close(conn.CodeNormal, "")
}
