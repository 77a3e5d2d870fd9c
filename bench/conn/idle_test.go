package conn_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// idleClients is how many connections are held. Each process of the pair needs a file descriptor for each.
const idleClients = 10_000

const (
	come      = `{"type":1,"come":{"id":"a","name":"bench","version":"1.0.0","ip":"127.0.0.1","mac":"","host_name":"h","os":"linux","platform":"debian","platform_version":"12","kernel_version":"6.1","arch":"x86_64","cpu":"","cpu_core":2,"memory":1}}`
	handshook = `{"type":2,"handshake":{"ok":true,"id":"a","msg":""}}`
)

// A server is one way of holding connections. Each shakes hands with an agent, so that whatever that needs was used,
// and then waits for more.
var servers = []struct {
	name  string
	serve func(w http.ResponseWriter, r *http.Request)
}{
	{"jkframe", func(w http.ResponseWriter, r *http.Request) {
		c, err := conn.Upgrade(w, r, conn.Options{IdleTimeout: -1})
		if err != nil {
			return
		}
		go func() {
			defer c.Close(conn.CodeNormal, "")
			for {
				if _, err := c.Receive(); err != nil {
					return
				}
				if err := c.Send(background, conn.Control, []byte(handshook)); err != nil {
					return
				}
			}
		}()
	}},
	{"gorilla-tuned", func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{ReadBufferSize: 512, WriteBufferSize: 4096, WriteBufferPool: &pool, EnableCompression: true}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		go echoHandshake(ws)
	}},
	{"gorilla-default", func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{EnableCompression: true}
		ws, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		echoHandshake(ws)
	}},
	{"tcp", func(w http.ResponseWriter, r *http.Request) {
		// The floor: a goroutine that reads, and knows of WebSocket only how to shake hands.
		nc, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		sum := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
		fmt.Fprintf(rw, "\x81%c%s", len(handshook), handshook)
		rw.Flush()
		go func() {
			defer nc.Close()
			var b [64]byte
			for {
				if _, err := nc.Read(b[:]); err != nil {
					return
				}
			}
		}()
	}},
}

var pool sync.Pool

func echoHandshake(ws *websocket.Conn) {
	defer ws.Close()
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			return
		}
		if err := ws.WriteMessage(websocket.TextMessage, []byte(handshook)); err != nil {
			return
		}
	}
}

// The bytes of heap and stacks, and of the process as the kernel sees it, that one idle connection costs its server. The
// clients are in another process.
func BenchmarkIdle(b *testing.B) {
	for _, s := range servers {
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				measureIdle(b, s.serve)
			}
		})
	}
}

func measureIdle(b *testing.B, serve http.HandlerFunc) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: serve}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	defer func() {
		srv.Close()
		<-done
	}()

	used, rss := memory()
	for _, round := range []string{"first", "second"} { // all leave, and as many others come
		client := exec.Command(os.Args[0])
		client.Env = append(os.Environ(), clientEnv+"="+l.Addr().String())
		client.Stderr = os.Stderr
		in, err := client.StdinPipe()
		if err != nil {
			b.Fatal(err)
		}
		out, err := client.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		if err := client.Start(); err != nil {
			b.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			b.Fatal(line)
		}
		now, nowRSS := memory()
		b.ReportMetric(float64(now-used)/float64(n), round+"-B/conn")
		b.ReportMetric(float64(nowRSS-rss)/float64(n), round+"-rss-B/conn")
		in.Close()
		client.Wait()
	}
}

// memory returns the bytes of heap and stacks in use after a collection, and those of the process.
func memory() (used, rss int64) {
	var m runtime.MemStats
	for range 3 { // stacks shrink one step with each
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse), processMemory()
}
