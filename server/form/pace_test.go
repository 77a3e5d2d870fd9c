package form_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// oneConn is a listener to which one client has come.
type oneConn struct {
	net.Conn
	come   chan net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.come:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Addr() net.Addr { return l.LocalAddr() }

func (l *oneConn) Close() error {
	close(l.closed)
	return nil
}

// post serves forms to a client, which writes a request with a body of size bytes and gets the answer.
func post(t *testing.T, s *form.Store, size int, write func(io.Writer) error) (answer string, took time.Duration) {
	t.Helper()
	begin := time.Now()
	client, conn := net.Pipe()
	ln := &oneConn{Conn: conn, come: make(chan net.Conn, 1), closed: make(chan struct{})}
	ln.come <- conn
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := form.Read(w, r, s)
		if err == nil {
			f.Close()
			return
		}
		if e := (*rest.Error)(nil); errors.As(err, &e) {
			e.Write(w)
		} else {
			t.Error(err)
		}
	})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(ln) // it is closed
	}()
	defer func() {
		client.Close()
		srv.Close()
		<-ended
		time.Sleep(time.Minute) // until the goroutines of the connection have noticed
	}()
	go func() { // until the server has had enough
		fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n", size)
		_ = write(client)
	}()
	resp, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + string(text), time.Since(begin)
}

const beginning = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n"

// A client that keeps a form open with a byte now and then does not keep what the form holds on to.
func TestTooSlow(t *testing.T) {
	s := store(t, 8<<20)
	for name, first := range map[string]int{"from the beginning": 0, "later, with much on the disk": 5 << 20} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer, took := post(t, s, 6<<20, func(w io.Writer) error {
					if _, err := io.WriteString(w, beginning+strings.Repeat("x", first)); err != nil {
						return err
					}
					for {
						time.Sleep(29 * time.Second)
						if _, err := io.WriteString(w, "x"); err != nil {
							return err
						}
					}
				})
				if took > time.Minute || !strings.HasPrefix(answer, "408 ") || !strings.Contains(answer, "too slowly") {
					t.Errorf("after %v %s", took, answer)
				}
			})
		})
	}
	kind, body := multi(t, strings.Repeat("x", 7<<20), "")
	f, err := read(t, s, kind, strings.NewReader(string(body))) // there is as much room as before
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// A slow line is no fault, however long the whole takes.
func TestSlow(t *testing.T) {
	s := store(t, 8<<20)
	const end, pieces = "\r\n--x--\r\n", 600
	synctest.Test(t, func(t *testing.T) {
		answer, took := post(t, s, len(beginning)+2*pieces<<10+len(end), func(w io.Writer) error {
			_, err := io.WriteString(w, beginning)
			for range pieces {
				time.Sleep(time.Second)
				if err == nil {
					_, err = io.WriteString(w, strings.Repeat("x", 2<<10))
				}
			}
			if err == nil {
				_, err = io.WriteString(w, end)
			}
			return err
		})
		if took < pieces*time.Second || !strings.HasPrefix(answer, "200 ") {
			t.Errorf("after %v %s", took, answer)
		}
	})
}
