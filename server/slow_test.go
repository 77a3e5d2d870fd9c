package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// apiRequest is a whole request to the API.
func apiRequest(f *fixture, path string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + f.token + "\r\n\r\n"
}

// open connects, and writes as much as is taken in the background.
func open(t testing.TB, dial func() (net.Conn, error), text string) net.Conn {
	t.Helper()
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		io.WriteString(c, text) // a server that has enough of it closes
	}()
	t.Cleanup(func() {
		c.Close()
		<-written
	})
	return c
}

// untilEOF reads one byte at a time, and returns what came before the end and when it came.
func untilEOF(c net.Conn, every time.Duration) (text string, took time.Duration) {
	began := time.Now()
	var b strings.Builder
	for one := make([]byte, 1); ; time.Sleep(every) {
		if _, err := c.Read(one); err != nil {
			return b.String(), time.Since(began)
		}
		b.Write(one)
	}
}

// Whoever connects and takes his time with his request must not keep a connection for ever.
func TestSlowRequests(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       string // how the answer begins
		most       time.Duration
	}{
		{"silence", "", "", 10 * time.Second},
		{"half a header", "GET /api/agents HTTP/1.1\r\nHost: local", "", 10 * time.Second},
		{"large header", "GET /api/agents HTTP/1.1\r\nX: " + strings.Repeat("x", 100_000), "HTTP/1.1 431 ", 10 * time.Second},
	} {
		for _, which := range []string{"agents", "api"} {
			t.Run(tt.name+"/"+which, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := startInMemory(t, server.Config{})
					dial := f.dial
					if which == "api" {
						dial = f.dialAPI
					}
					text, took := untilEOF(open(t, dial, tt.text), 0)
					if !strings.HasPrefix(text, tt.want) || took > tt.most {
						t.Errorf("the connection ended after %v with %q", took, text)
					}
				})
			})
		}
	}
}

// A body that never comes must not keep a connection either.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		request := strings.Replace(apiRequest(f, "/api/agents"), "GET", "POST", 1)
		request = strings.Replace(request, "\r\n\r\n", "\r\nContent-Length: 100\r\n\r\n", 1)
		text, took := untilEOF(open(t, f.dialAPI, request), 0)
		if !strings.HasPrefix(text, "HTTP/1.1 405 ") || took > 30*time.Second {
			t.Errorf("the connection ended after %v with %q", took, text)
		}
	})
}

// A connection without a request is closed after two minutes.
func TestIdleClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		text, took := untilEOF(open(t, f.dialAPI, apiRequest(f, "/api/agents")), 0)
		if !strings.HasPrefix(text, "HTTP/1.1 200 ") || took != 2*time.Minute {
			t.Errorf("the connection ended after %v with %q, want 2 minutes", took, text)
		}
	})
}

// A client that reads its answer at one byte a second must not hold it for hours.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{API: server.APIConfig{Timeout: time.Minute}})
		text, took := untilEOF(open(t, f.dialAPI, apiRequest(f, "/metrics")), time.Second)
		if !strings.HasPrefix(text, "HTTP/1.1 200 ") || took < 80*time.Second || took > 100*time.Second {
			t.Errorf("the connection ended after %v and %d bytes, want 90 s", took, len(text))
		}
		f.get(t, "/api/agents", 200, `{"code":0,"payload":[]}`)
	})
}

// A long call is not cut off by what bounds slow clients, over the real listener.
func TestLongCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{API: server.APIConfig{Timeout: 10 * time.Minute}})
		c := f.agent(t, "x", "example-agent")
		stop := make(chan struct{})
		beaten := make(chan struct{})
		go func() {
			defer close(beaten)
			beat(c, stop)
		}()
		answers := make(chan []byte, 1)
		serve(c, func(f *wire.Frame) []byte {
			answers <- bar(f)
			return nil
		})
		api := open(t, f.dialAPI, apiRequest(f, "/api/foo/x"))
		began := time.Now()
		answer := <-answers
		time.Sleep(10*time.Minute - time.Second)
		if err := c.Send(context.Background(), conn.Control, answer); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(api), nil)
		if err != nil {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("after %v: %s", time.Since(began), resp.Status)
		}
		close(stop)
		<-beaten
	})
}

// Clients that read slowly do not keep the server from stopping.
func TestStopWithSlowReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		for i := range 5 {
			open(t, f.dialAPI, apiRequest(f, fmt.Sprintf("/api/agents/x?%d", i)))
			open(t, f.dialAPI, apiRequest(f, "/metrics"))
		}
		synctest.Wait()
		began := time.Now()
		f.stop()
		if took := time.Since(began); took > maxStop {
			t.Errorf("stopped after %v", took)
		}
	})
}

// A client that leaves ends its request, and the agent is free for the next.
func TestClientLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startInMemory(t, server.Config{})
		c := f.agent(t, "x", "example-agent")
		serve(c, func(*wire.Frame) []byte { return nil })
		api := open(t, f.dialAPI, apiRequest(f, "/api/foo/x"))
		synctest.Wait()
		api.Close()
		synctest.Wait()
		if got := f.metric(t, `agent_server_call_duration_seconds_count{result="canceled"}`); got != "1" {
			t.Errorf("%q calls counted as canceled, want 1", got)
		}
		if _, err := f.Get(context.Background(), "x"); err != nil {
			t.Error(err)
		}
	})
}
