package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// BenchmarkConnect compares what it takes an enrolled agent to come in, with its handshake and its goodbye, to what bare
// crypto/tls takes for a connection between the same two, with the same certificates and one byte each way.
func BenchmarkConnect(b *testing.B) {
	f := startFleet(b, server.Config{ConnectLimit: -1})
	token := f.enrolToken(b, "--uses", "64")
	hosts := make(chan *host, 64)
	for i := range cap(hosts) {
		h := newHost(b)
		if status := f.enrol(b, h, token, fmt.Sprintf("host-%d", i)); status != 200 {
			b.Fatal(status)
		}
		hosts <- h
	}
	b.Run("agent", func(b *testing.B) {
		for b.Loop() {
			h := <-hosts
			raw, err := f.dial()
			if err != nil {
				b.Fatal(err)
			}
			c := tls.Client(raw, h.tls())
			upgraded(b, c)
			writeFrame(b, c, 1, `{"type":1,"come":{"name":"exec-agent"}}`)
			readFrame(b, c)
			raw.Close()
			hosts <- h
		}
	})
	b.Run("bare", func(b *testing.B) {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(f.Bundle())
		config := f.AgentTLS()
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, pool
		ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			b.Fatal(err)
		}
		var serving sync.WaitGroup
		serving.Go(func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				serving.Go(func() { echoByte(c) })
			}
		})
		for b.Loop() {
			h := <-hosts
			c, err := tls.Dial("tcp", ln.Addr().String(), h.tls())
			if err != nil {
				b.Fatal(err)
			}
			if _, err := c.Write([]byte{1}); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); err != nil {
				b.Fatal(err)
			}
			c.Close()
			hosts <- h
		}
		ln.Close()
		serving.Wait()
	})
}

// echoByte sends one byte back, and closes.
func echoByte(c net.Conn) {
	defer c.Close()
	p := make([]byte, 1)
	if _, err := c.Read(p); err == nil {
		_, _ = c.Write(p) // who is gone needs none
	}
}
