package server_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// socket is a client's connection that costs this process no memory but the kernel's.
type socket int

// keep takes the socket of a connection and lets the rest go.
func keep(t testing.TB, c net.Conn) socket {
	t.Helper()
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var fd int
	var dupErr error
	if err := raw.Control(func(old uintptr) { fd, dupErr = syscall.Dup(int(old)) }); err != nil || dupErr != nil {
		t.Fatal(err, dupErr)
	}
	return socket(fd)
}

// use makes it a connection again for a moment.
func (s socket) use(t testing.TB, f func(net.Conn)) {
	t.Helper()
	fd, err := syscall.Dup(int(s))
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "socket")
	defer file.Close()
	c, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f(c)
}

func (s socket) close(t testing.TB) {
	t.Helper()
	if err := syscall.Close(int(s)); err != nil {
		t.Fatal(err)
	}
}

// cheapAgent is an agent that has shaken hands.
func cheapAgent(t testing.TB, f *fixture, id string) socket {
	t.Helper()
	c := upgrade(t, f)
	writeFrame(t, c, 1, fmt.Sprintf(`{"type":1,"come":{"id":%q,"name":"exec-agent","version":"0.0.0","ip":"127.0.0.1",`+
		`"mac":"02:00:c0:00:02:0a","host_name":"host-01","os":"linux","platform":"debian","platform_version":"12.11",`+
		`"kernel_version":"6.18.44","arch":"x86_64","cpu":"AMD EPYC","cpu_core":2,"memory":25276502016}}`, id))
	if _, text := readFrame(t, c); !strings.Contains(text, `"ok":true`) {
		t.Fatalf("handshake: %s", text)
	}
	return keep(t, c)
}

// An idle agent that costs more than 8 kB makes the operator of a large fleet pay for it: after it has come, after it
// has reported, and after others have come in its place.
func TestIdleAgentIsCheap(t *testing.T) {
	const agents, most = 2000, 8 << 10
	f := start(t, server.Config{ConnectLimit: -1})
	one := cheapAgent(t, f, "first")
	goroutines, before := runtime.NumGoroutine(), inUse()
	check := func(when string, extra int) {
		t.Helper()
		each := (int(inUse()) - int(before)) / agents
		t.Logf("%s: %d bytes of heap and stack for each of %d idle agents", when, each, agents)
		if each > most+extra && !raceDetector { // which has larger stacks
			t.Errorf("%s, an idle agent costs %d bytes, at most %d are allowed", when, each, most+extra)
		}
		if n := runtime.NumGoroutine() - goroutines; n > agents+20 {
			t.Errorf("%s, there are %d goroutines for %d idle agents", when, n, agents)
		}
	}
	var sockets [agents]socket
	for round := range 2 {
		for i := range sockets {
			sockets[i] = cheapAgent(t, f, fmt.Sprintf("host-%d-%05d", round, i))
		}
		check("after they came", 0)
		for _, s := range sockets {
			s.use(t, func(c net.Conn) {
				writeFrame(t, c, 1, `{"type":7,"ai":{"v":"1.2.3","gv":"go1.26","cu":1.5,"ts":12,"gc":{"0":1,"25":2}}}`)
				writeFrame(t, c, 9, "")
				if opcode, _ := readFrame(t, c); opcode != 10 {
					t.Fatalf("frame %d, want a pong", opcode)
				}
			})
		}
		check("after they reported", 300) // the report
		for _, s := range sockets {
			s.close(t)
		}
		waitFor(t, f, "agent_count", "1")
	}
	one.close(t)
}
