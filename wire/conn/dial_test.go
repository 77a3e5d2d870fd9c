package conn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// A refusal says why, and when to come again; what comes from a stranger is bounded and quoted.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   conn.RefusedError
		text   string
	}{
		{"401", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you", http.StatusUnauthorized) },
			conn.RefusedError{Status: 401, Body: "who are you\n"}, `server answered with HTTP status 401: "who are you"`},
		{"404", http.NotFound,
			conn.RefusedError{Status: 404, Body: "404 page not found\n"}, `server answered with HTTP status 404: "404 page not found"`},
		{"503", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(503)
		}, conn.RefusedError{Status: 503, RetryAfter: 7 * time.Second}, "server answered with HTTP status 503"},
		{"redirect", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://elsewhere/")
			w.WriteHeader(302)
		}, conn.RefusedError{Status: 302}, "server answered with HTTP status 302"},
		{"200", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "welcome") },
			conn.RefusedError{Status: 200, Body: "welcome"}, `server answered with HTTP status 200: "welcome"`},
		{"long", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			io.WriteString(w, strings.Repeat("\x1b[2J", 1<<18))
		}, conn.RefusedError{Status: 500, Body: strings.Repeat("\x1b[2J", 64)},
			`server answered with HTTP status 500: "` + strings.Repeat(`\x1b[2J`, 64) + `"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := httptest.NewServer(c.answer)
			defer srv.Close()
			_, err := conn.Dialer{}.Dial(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http"))
			var got *conn.RefusedError
			if !errors.As(err, &got) || *got != c.want {
				t.Fatalf("got %v, want %v", err, &c.want)
			}
			if got.Error() != c.text {
				t.Errorf("text is %s, want %s", got, c.text)
			}
		})
	}
}

// hostileServer answers each connection with what answer does, on loopback.
func hostileServer(t testing.TB, answer func(net.Conn)) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepting := inBackground(t, func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			inBackground(t, func() {
				defer c.Close()
				answer(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		accepting()
	})
	return "ws://" + l.Addr().String()
}

// No answer, however strange, makes an agent wait for ever, or take all its memory: the context and a bound end it.
func TestHostileAnswers(t *testing.T) {
	endless := func(head, more string) func(net.Conn) {
		return func(c net.Conn) {
			io.WriteString(c, head)
			for {
				if _, err := io.WriteString(c, more); err != nil {
					return
				}
			}
		}
	}
	for name, answer := range map[string]func(net.Conn){
		"endless status":   endless("HTTP/1.1 ", "1"),
		"endless header":   endless("HTTP/1.1 101 x\r\nA: ", strings.Repeat("a", 1000)),
		"endless headers":  endless("HTTP/1.1 101 x\r\n", "A: b\r\n"),
		"endless refusals": endless("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"),
		"nothing":          func(net.Conn) {},
		"no HTTP":          func(c net.Conn) { io.WriteString(c, "SSH-2.0-OpenSSH_9.2\r\n") },
		"a wrong key": func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAA\r\n\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := hostileServer(t, func(c net.Conn) {
				go io.Copy(io.Discard, c) // ends with c
				answer(c)
			})
			if c, err := (conn.Dialer{}).Dial(context.Background(), url); err == nil {
				c.Close(conn.CodeNormal, "")
				t.Error("connected")
			}
		})
	}
}

// Dial ends with its context at every step, and says why; without a deadline it ends when the server says nothing for
// IdleTimeout.
func TestDialContext(t *testing.T) {
	steps := map[string]func(net.Conn){
		"says nothing":        func(c net.Conn) { io.Copy(io.Discard, c) },
		"reads nothing":       func(net.Conn) {},
		"stops in the middle": func(c net.Conn) { go io.Copy(io.Discard, c); io.WriteString(c, "HTTP/1.1 101 Swi") },
		"trickles": func(c net.Conn) {
			go io.Copy(io.Discard, c)
			for {
				time.Sleep(time.Second)
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
			}
		},
		"refuses without end": func(c net.Conn) {
			go io.Copy(io.Discard, c)
			io.WriteString(c, "HTTP/1.1 503 no\r\nRetry-After: 5\r\n\r\nbecause")
		},
	}
	for name, server := range steps {
		for _, scheme := range []string{"ws", "wss"} {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				inBackground(t, func() { server(far) })
				t.Cleanup(func() { far.Close() })
				cause := errors.New("no answer within 20 s")
				ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Second, cause)
				defer cancel()
				d := conn.Dialer{
					Options: conn.Options{IdleTimeout: -1, WriteTimeout: time.Hour},
					NetDial: pipeDialer(near),
				}
				begin := time.Now()
				_, err := d.Dial(ctx, scheme+"://test/")
				since(t, begin, 0, 20*time.Second)
				var refused *conn.RefusedError
				if !errors.Is(err, cause) && !(errors.As(err, &refused) && refused.RetryAfter == 5*time.Second) && scheme == "ws" {
					t.Errorf("%s %s: %v", scheme, name, err)
				}
				if err == nil {
					t.Errorf("%s %s: connected", scheme, name)
				}
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		go io.Copy(io.Discard, far)
		begin := time.Now()
		if _, err := dialOn(near, conn.Options{IdleTimeout: 12 * time.Second}); !errors.Is(err, conn.ErrIdle) {
			t.Errorf("a server that says nothing: %v", err)
		}
		since(t, begin, 12*time.Second, 12*time.Second)
	})
}

// An error of the network is the network's, for whoever wants to know whether a port is open.
func TestDialErrors(t *testing.T) {
	noRoute := errors.New("no route")
	d := conn.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return nil, noRoute }}
	if _, err := d.Dial(t.Context(), "ws://test/"); !errors.Is(err, noRoute) {
		t.Errorf("got %v", err)
	}
	for _, url := range []string{"", "test", "http://test/", "ws://user:secret@test/", "ws://%zz"} {
		if _, err := d.Dial(t.Context(), url); err == nil || errors.Is(err, noRoute) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (conn.Dialer{}).Dial(ctx, "ws://127.0.0.1:9/"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The headers of the caller go with the request, and what peers of the field send and expect goes with it too.
func TestDialRequest(t *testing.T) {
	for _, off := range []bool{false, true} {
		got := make(chan *http.Request, 1)
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got <- r }))
		d := conn.Dialer{Options: conn.Options{NoCompression: off}, Header: http.Header{"Authorization": {"Bearer x"}}}
		if _, err := d.Dial(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http")+"/ws/agent"); err == nil {
			t.Error("connected")
		}
		srv.Close()
		want := "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
		if off {
			want = ""
		}
		r := <-got
		if r.URL.Path != "/ws/agent" || r.Header.Get("Authorization") != "Bearer x" || r.Header.Get("Origin") != "" ||
			r.Header.Get("Sec-Websocket-Extensions") != want {
			t.Errorf("request is %s %v", r.URL, r.Header)
		}
	}
}

// wss works: frames of all sizes both ways, a goodbye, and a server that the host does not trust is refused.
func TestTLS(t *testing.T) {
	accepted := make(chan *conn.Conn)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{})
		if err != nil {
			t.Error(err)
			return
		}
		accepted <- c
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // says that the last client did not trust it
	srv.StartTLS()
	defer srv.Close()
	url := "wss" + strings.TrimPrefix(srv.URL, "https")
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	c, err := conn.Dialer{TLS: &tls.Config{RootCAs: roots}}.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	s := <-accepted
	sizes := []int{30, 600, 16 << 10, 100_000, 3 << 20}
	for _, d := range [][2]*conn.Conn{{s, c}, {c, s}} {
		sent := inBackground(t, func() {
			for _, n := range sizes {
				mustSend(t, d[0], conn.Bulk, frame(n), frame(n))
			}
		})
		for _, n := range sizes {
			for range 2 {
				if f := mustReceive(t, d[1]); len(f.Error) != n-22 {
					t.Errorf("frame of %d bytes has a text of %d", n, len(f.Error))
				}
			}
		}
		sent()
	}
	received := inBackground(t, func() {
		var bye *conn.PeerClosedError
		if err := receiveEnd(s); !errors.As(err, &bye) || bye.Reason != "bye" {
			t.Errorf("server: %v", err)
		}
		s.Close(conn.CodeNormal, "")
	})
	c.Close(conn.CodeNormal, "bye")
	received()

	var unknown *tls.CertificateVerificationError
	if _, err := (conn.Dialer{}).Dial(t.Context(), url); !errors.As(err, &unknown) {
		t.Errorf("server that is not trusted: %v", err)
	}
}

func ExampleDialer() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		http.Error(w, "too many agents", http.StatusServiceUnavailable)
	}))
	defer srv.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := conn.Dialer{}.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http")+"/ws/agent")
	var refused *conn.RefusedError
	if errors.As(err, &refused) {
		fmt.Println(refused.Status, refused.RetryAfter)
	}
	// Output: 503 3s
}
