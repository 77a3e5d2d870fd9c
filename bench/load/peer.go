package load

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// Serve is a peer that does what a server has to, with as little as possible, until it is killed:
//
//	tcp      a goroutine for each connection, which waits for a byte
//	gorilla  the handshake, and a goroutine for each connection that reads messages and answers pings, with the smallest
//	         buffers that gorilla/websocket can do with
//	http     an answer of net/http, as /api/foo gives it
//	relay    the same, after one packet to an agent in another process and one back
//	opamp    the server of opamp-go, which answers the first message
//	tls      a handshake of crypto/tls, and no more; the certificate goes into the file ca
func Serve(ctx context.Context, kind, addr, ca string) error {
	if kind == "opamp" {
		return serveOpAMP(ctx, addr)
	}
	secured, err := serverTLS(ca) // before anybody can come, who looks for the certificate
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { ln.Close() })
	switch kind {
	case "tcp":
		return serveTCP(ln)
	case "tls":
		return serveTCP(tls.NewListener(ln, secured))
	case "gorilla":
		return serveHTTP(ln, newGorilla().serve)
	case "http":
		return serveHTTP(ln, answerHTTP)
	case "relay":
		return serveHTTP(ln, newRelay().serve)
	}
	return fmt.Errorf("unknown peer %q", kind)
}

// answerHTTP answers as /api/foo does.
func answerHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Write([]byte(`{"code":0}` + "\n"))
}

func serveHTTP(ln net.Listener, h http.HandlerFunc) error {
	return (&http.Server{Handler: h, ReadHeaderTimeout: patience}).Serve(ln)
}

func serveTCP(ln net.Listener) error {
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			var b [1]byte
			for {
				if _, err := c.Read(b[:]); err != nil {
					return
				}
			}
		}()
	}
}

// gorilla is a server that has been tuned for many idle connections.
type gorilla struct{ upgrader websocket.Upgrader }

func newGorilla() *gorilla {
	return &gorilla{websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 512, WriteBufferPool: &sync.Pool{}}}
}

// serve returns as soon as the connection is a WebSocket, so that what HTTP needed is free again.
func (g *gorilla) serve(w http.ResponseWriter, r *http.Request) {
	c, err := g.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	go func() {
		if _, _, err := c.ReadMessage(); err == nil {
			if c.WriteMessage(websocket.TextMessage, []byte(`{"type":2,"handshake":{"ok":true,"id":"x"}}`)) == nil {
				go drain(c)
				return
			}
		}
		c.Close()
	}()
}

func drain(c *websocket.Conn) {
	defer c.Close()
	for {
		if _, _, err := c.NextReader(); err != nil {
			return
		}
	}
}
