package freeport_test

import (
	"net"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// Each is another one, and can be listened on.
func TestAddr(t *testing.T) {
	seen := make(map[string]bool)
	for range 300 {
		addr := freeport.Addr(t)
		if seen[addr] || !strings.HasPrefix(addr, "127.0.0.1:") {
			t.Fatalf("%s after %d others", addr, len(seen))
		}
		seen[addr] = true
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}

// Where somebody listens already is no address for others.
func TestAddrTaken(t *testing.T) {
	var taken []net.Listener
	defer func() {
		for _, l := range taken {
			l.Close()
		}
	}()
	seen := make(map[string]bool)
	t.Run("first", func(t *testing.T) {
		for range 300 {
			addr := freeport.Addr(t)
			l, err := net.Listen("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			taken, seen[addr] = append(taken, l), true
		}
	})
	for range 300 {
		if addr := freeport.Addr(t); seen[addr] {
			t.Fatalf("%s is taken", addr)
		}
	}
}
