package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// The ports are below those that systems give to whoever connects or listens without naming one (from 32768 on Linux, from 49152
// elsewhere): none of these can take a port while the program that it is for is not up.
const first, count = 16384, 16384

// Addr returns an address of loopback where nobody listens, and which nobody else is given until the test ends.
func Addr(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(first + rand.N(count))
		// The programs of tests speak TCP: a socket of UDP says to all processes that ask here that the number is given.
		given, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", ":"+port)
		if err != nil {
			given.Close()
			continue
		}
		l.Close()
		t.Cleanup(func() { given.Close() })
		return "127.0.0.1:" + port
	}
	t.Fatal("each port that was tried is in use")
	return ""
}
