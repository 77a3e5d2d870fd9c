package conn_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// message is a frame of 200 bytes, which is not compressed.
var message = []byte(`{"type":30000,"tid":"20261120-00001-0123456789abcdef","report":"` + strings.Repeat("x", 134) + `"}`)

const batch = 50

// One end sends messages of 200 bytes over loopback and the other receives them; the time is that of one message from
// end to end. Receiving with jkframe includes that the frame is checked and parsed; bare gorilla hands over bytes.
func BenchmarkThroughput(b *testing.B) {
	senders := []struct {
		name string
		dial func(b *testing.B, url string) sender
	}{
		{"gorilla", dialGorilla},
		{"jkframe-single", func(b *testing.B, url string) sender { return dialJKFrame(b, url, 1) }},
		{"jkframe-batched", func(b *testing.B, url string) sender { return dialJKFrame(b, url, batch) }},
	}
	receivers := []struct {
		name    string
		receive func(w http.ResponseWriter, r *http.Request, n int) error
	}{
		{"gorilla", receiveGorilla},
		{"jkframe", receiveJKFrame},
	}
	for _, s := range senders {
		for _, r := range receivers {
			b.Run(s.name+"/to-"+r.name, func(b *testing.B) {
				b.SetBytes(int64(len(message)))
				b.ReportAllocs()
				n := b.N
				done := make(chan error, 1)
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					done <- r.receive(w, req, n)
				}))
				defer srv.Close()
				c := s.dial(b, "ws"+strings.TrimPrefix(srv.URL, "http"))
				defer c.Close()
				b.ResetTimer()
				begin := processorTime()
				if err := c.send(n); err != nil {
					b.Fatal(err)
				}
				if err := <-done; err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
				b.ReportMetric(float64(processorTime()-begin)/float64(n), "cpu-ns/op")
			})
		}
	}
}

// sender sends n messages.
type sender interface {
	send(n int) error
	Close() error
}

type gorillaSender struct{ *websocket.Conn }

func dialGorilla(b *testing.B, url string) sender {
	ws, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		b.Fatal(err)
	}
	return gorillaSender{ws}
}

func (s gorillaSender) send(n int) error {
	for range n {
		if err := s.WriteMessage(websocket.TextMessage, message); err != nil {
			return err
		}
	}
	return nil
}

type jkframeSender struct {
	c     *conn.Conn
	batch [][]byte
}

func dialJKFrame(b *testing.B, url string, batch int) sender {
	c, err := conn.Dialer{}.Dial(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	s := jkframeSender{c: c}
	for range batch {
		s.batch = append(s.batch, message)
	}
	return s
}

func (s jkframeSender) send(n int) error {
	for n > 0 {
		k := min(n, len(s.batch))
		if err := s.c.Send(background, conn.Bulk, s.batch[:k]...); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

func (s jkframeSender) Close() error {
	s.c.Close(conn.CodeNormal, "")
	return nil
}

func receiveGorilla(w http.ResponseWriter, r *http.Request, n int) error {
	var up websocket.Upgrader
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return err
	}
	defer ws.Close()
	for range n {
		if _, _, err := ws.ReadMessage(); err != nil {
			return err
		}
	}
	return nil
}

func receiveJKFrame(w http.ResponseWriter, r *http.Request, n int) error {
	c, err := conn.Upgrade(w, r, conn.Options{})
	if err != nil {
		return err
	}
	defer c.Close(conn.CodeNormal, "")
	for range n {
		if _, err := c.Receive(); err != nil {
			return err
		}
	}
	return nil
}

// One end sends a file in frames of 48 KiB, which are not compressed.
func BenchmarkBulk(b *testing.B) {
	frame := []byte(`{"type":30001,"data":"` + strings.Repeat("x", 48<<10) + `"}`)
	b.Run("gorilla", func(b *testing.B) {
		bulk(b, frame, dialGorilla(b, discarding(b)).(gorillaSender).WriteMessage)
	})
	b.Run("jkframe", func(b *testing.B) {
		c := dialJKFrame(b, discarding(b), 1).(jkframeSender).c
		bulk(b, frame, func(_ int, p []byte) error { return c.Send(background, conn.Bulk, p) })
	})
}

func bulk(b *testing.B, frame []byte, send func(int, []byte) error) {
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	begin := processorTime()
	for b.Loop() {
		if err := send(websocket.TextMessage, frame); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processorTime()-begin)/float64(b.N), "cpu-ns/op")
}

// discarding serves connections whose messages are read and forgotten.
func discarding(b *testing.B) (url string) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var up websocket.Upgrader
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for {
			_, m, err := ws.NextReader()
			if err != nil {
				return
			}
			io.Copy(io.Discard, m)
		}
	}))
	b.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}
