package conn_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// clientEnv makes the test binary hold idle connections to the address that it has.
const clientEnv = "BENCH_CONN_CLIENT"

var background = context.Background()

func TestMain(m *testing.M) {
	if addr := os.Getenv(clientEnv); addr != "" {
		holdIdle(addr)
		return
	}
	os.Exit(m.Run())
}

// holdIdle connects and shakes hands as agents of the field do, prints how many it has, and holds them until the input
// ends.
func holdIdle(addr string) {
	var wg sync.WaitGroup
	conns := make([]io.Closer, idleClients)
	for w := range 50 {
		wg.Go(func() {
			for i := w; i < len(conns); i += 50 {
				conns[i] = shakeHands(addr)
			}
		})
	}
	wg.Wait()
	n := 0
	for _, c := range conns {
		if c != nil {
			n++
		}
	}
	fmt.Println(n)
	io.Copy(io.Discard, os.Stdin)
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
}

func shakeHands(addr string) io.Closer {
	d := websocket.Dialer{EnableCompression: true, ReadBufferSize: 512, WriteBufferPool: &pool}
	ws, _, err := d.DialContext(background, "ws://"+addr+"/ws/agent", http.Header{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return nil
	}
	if err := ws.WriteMessage(websocket.TextMessage, []byte(come)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return nil
	}
	if _, _, err := ws.ReadMessage(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return nil
	}
	return ws
}
