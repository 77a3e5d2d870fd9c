package freeport

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports are below those that systems give to whoever connects or listens without naming one (from 32768 on Linux, from 49152
// elsewhere): none of these can take a port while the program that it is for is not up.
const first, count = 16384, 16384

// T is what is used of a test.
type T interface {
	Helper()
	Fatal(args ...any)
	Cleanup(f func())
}

// Addr returns an address of loopback where nobody listens, and which nobody else is given until the test ends.
func Addr(t T) string {
	t.Helper()
	addr, giveBack, err := Hold()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(giveBack)
	return addr
}

// Hold returns an address of loopback where nobody listens, and which nobody else is given until it is given back.
func Hold() (addr string, giveBack func(), err error) {
	var lc net.ListenConfig
	for range 1000 {
		port := strconv.Itoa(first + rand.N(count))
		addr := net.JoinHostPort("127.0.0.1", port)
		// The programs speak TCP: a socket of UDP says to all processes that ask here that the port is given.
		given, err := lc.ListenPacket(context.Background(), "udp", addr)
		if err != nil {
			continue
		}
		l, err := lc.Listen(context.Background(), "tcp", ":"+port)
		if err != nil {
			given.Close()
			continue
		}
		l.Close()
		return addr, func() { given.Close() }, nil
	}
	return "", nil, errors.New("each port that was tried is in use")
}
