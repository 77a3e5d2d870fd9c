package conn_test

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// An idle agent must cost its server little, with the goroutine that receives, also after that had much to do: ten
// thousand of them are in a fleet.
func TestIdleMemory(t *testing.T) {
	const n = 500
	most := int64(6 << 10) // bytes a connection, those of the client's socket in this process included
	if raceDetector || runtime.GOOS == "windows" {
		most = 12 << 10 // the frames on the stack, or the socket, are larger
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	var wait func(c *conn.Conn)
	handle := func(c *conn.Conn) {
		if _, err := c.Poll(); err != nil || busy(40) == 0 || c.Send(t.Context(), conn.Control, numbered("x")) != nil {
			c.Close(conn.CodeNormal, "")
			return
		}
		wg.Go(func() { wait(c) })
	}
	wait = func(c *conn.Conn) {
		c.Await()
		wg.Go(func() { handle(c) })
	}
	url := serve(t, conn.Options{}, func(c *conn.Conn) { wg.Go(func() { wait(c) }) })
	// What the first connections leave in pools and caches is not counted.
	hello := rawFrame(bitFin|bitCompressed|opText, deflated(t, frame(3000)))
	shakeHands(t, url, hello)
	before := inUse()
	for range n {
		shakeHands(t, url, hello)
	}
	if got := (inUse() - before) / n; got > most {
		t.Errorf("an idle connection costs %d bytes, want at most %d", got, most)
	}
}

// busy needs some kilobytes of stack, as handlers do.
//
//go:noinline
func busy(depth int) int {
	var b [256]byte
	b[depth] = 1
	if depth > 0 {
		return busy(depth-1) + int(b[depth])
	}
	return int(b[0])
}

// shakeHands connects, says hello and waits for the answer.
func shakeHands(t *testing.T, url string, hello []byte) {
	nc, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Extensions: %s\r\n\r\n", testKey, deflate)
	var b [1024]byte
	for got := 0; !bytes.Contains(b[:got], []byte("\r\n\r\n")); {
		k, err := nc.Read(b[got:])
		if err != nil {
			t.Fatal(err)
		}
		got += k
	}
	nc.Write(hello)
	if _, err := nc.Read(b[:]); err != nil {
		t.Fatal(err)
	}
}

// inUse returns the bytes of heap and stacks.
func inUse() int64 {
	for range 5 { // a stack gets half as large with each
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
