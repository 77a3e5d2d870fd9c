package libagent_test

import (
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// realServer is a server on loopback. What it does with a connection after the handshake is up to the test.
func realServer(t *testing.T, serve func(come wire.ComePayload, c *conn.Conn)) string {
	t.Helper()
	return serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{})
		if err != nil {
			return
		}
		s := &session{Conn: c, t: t}
		s.accept()
		serve(s.come, c)
		s.drain()
	})
}

// serveHTTP is a web server on loopback.
func serveHTTP(t *testing.T, serve http.HandlerFunc) string {
	t.Helper()
	return serveTLS(t, nil, serve)
}

// serveTLS is serveHTTP over TLS, without if config is nil.
func serveTLS(t *testing.T, config *tls.Config, serve http.HandlerFunc) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if config != nil {
		l = tls.NewListener(l, config)
	}
	srv := &http.Server{Handler: serve, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		srv.Serve(l)
	}()
	t.Cleanup(func() {
		srv.Close()
		<-ended
	})
	return addr
}

// answeringServer is a server on loopback that answers every agent with the same frame.
func answeringServer(t *testing.T, answer string) string {
	t.Helper()
	return serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{})
		if err != nil {
			return
		}
		s := &session{Conn: c, t: t}
		s.readCome()
		s.raw(answer)
		s.drain()
	})
}

// plainServer is a web server that knows nothing of agents.
func plainServer(t *testing.T) string {
	t.Helper()
	return serveHTTP(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
}
