package conn_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// slowConn reads in one go until it is told to be slow: then three bytes each nine seconds.
type slowConn struct {
	net.Conn
	slow atomic.Bool
}

func (c *slowConn) Read(p []byte) (int, error) {
	if c.slow.Load() {
		time.Sleep(9 * time.Second)
		p = p[:min(len(p), 3)]
	}
	return c.Conn.Read(p)
}

// certificate is one for example.com, that of httptest.
func certificate() []tls.Certificate {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.StartTLS()
	defer srv.Close()
	return srv.TLS.Certificates
}

// An agent with TLS on a slow line is not cut off while its server takes something.
func TestSlowTLSIsNotStalled(t *testing.T) {
	config := &tls.Config{Certificates: certificate()}
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		line := &slowConn{Conn: far}
		up := make(chan *rawPeer)
		go func() { up <- rawAccept(t, tls.Server(line, config)) }()
		d := conn.Dialer{
			Options: conn.Options{WriteTimeout: 10 * time.Second, IdleTimeout: -1},
			TLS:     &tls.Config{InsecureSkipVerify: true},
			NetDial: pipeDialer(near),
		}
		c, err := d.Dial(t.Context(), "wss://test/")
		if err != nil {
			t.Fatal(err)
		}
		p := <-up
		line.slow.Store(true)
		sent := inBackground(t, func() { mustSend(t, c, conn.Bulk, numbered("slow")) })
		if got := p.tasks(t, 1); got[0] != "slow" {
			t.Errorf("got %q", got)
		}
		sent()
		line.slow.Store(false)
		p.takeAll(t)
		c.Close(conn.CodeNormal, "")
	})
}

// A peer with TLS that takes nothing is given up as any other, and closing does not wait for TLS to say farewell to it.
func TestStalledTLS(t *testing.T) {
	config := &tls.Config{Certificates: certificate()}
	for _, closing := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			up := make(chan *conn.Conn)
			go func() { up <- upgradeOn(t, tls.Server(far, config), conn.Options{}) }()
			client := tls.Client(near, &tls.Config{InsecureSkipVerify: true})
			rawUpgrade(t, client, "")
			s := <-up
			defer near.Close()
			begin := time.Now()
			if closing {
				s.Close(conn.CodeNormal, "")
				since(t, begin, time.Second, time.Second)
				return
			}
			if err := s.Send(t.Context(), conn.Bulk, frame(100_000)); !errors.Is(err, conn.ErrStalled) {
				t.Errorf("send: %v", err)
			}
			since(t, begin, 10*time.Second, 10*time.Second)
			s.Close(conn.CodeNormal, "")
			since(t, begin, 10*time.Second, 10*time.Second)
			if _, err := near.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("peer then gets %v", err)
			}
		})
	}
}

// The read deadline of a server with TLS is as exact as one without: a deadline that is moved breaks no record.
func TestIdleTLS(t *testing.T) {
	config := &tls.Config{Certificates: certificate()}
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		up := make(chan *conn.Conn)
		go func() { up <- upgradeOn(t, tls.Server(far, config), conn.Options{}) }()
		p := rawUpgrade(t, tls.Client(near, &tls.Config{InsecureSkipVerify: true}), "")
		s := <-up
		inBackground(t, func() {
			for range 5 {
				time.Sleep(29 * time.Second)
				p.write(t, rawFrame(bitFin|opText, numbered("x")))
			}
		})
		for range 5 {
			mustReceive(t, s)
		}
		begin := time.Now()
		if _, err := s.Receive(); !errors.Is(err, conn.ErrIdle) {
			t.Errorf("receive: %v", err)
		}
		since(t, begin, 30*time.Second, 30*time.Second)
	})
}
