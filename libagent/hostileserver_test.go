package libagent_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/jkstack/jkframe/v2/internal/doccheck"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
)

// behaviour is one way in which a server can be bad. Only one of http, upgraded, taken and raw is set.
type behaviour struct {
	name     string // as docs/hostile-servers.md has it
	http     http.HandlerFunc
	upgraded func(c *websocket.Conn) // a WebSocket stands, and nothing was said
	taken    func(c *websocket.Conn) // the agent was taken
	shake    func(s *agenttest.Session) wire.HandshakePayload
	raw      func(c net.Conn)                   // in place of HTTP
	cert     func(a *authority) tls.Certificate // the agent wants TLS; nil with plain HTTP
	secure   bool                               // the agent wants TLS
	says     string                             // what the agent's log says
	during   time.Duration                      // how long it is bad, 5 minutes if it says nothing else
}

const taken = `{"type":2,"handshake":{"ok":true,"id":"test-01","msg":""}}`

func say(text string) func(*websocket.Conn) {
	return func(c *websocket.Conn) { _ = c.WriteMessage(websocket.TextMessage, []byte(text)) }
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.Error(w, "because", code)
	}
}

// behaviours are those of docs/hostile-servers.md.
func behaviours() []behaviour {
	deep := strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000)
	return []behaviour{
		{name: "status 401", http: status(http.StatusUnauthorized), says: `HTTP status 401: \"because`},
		{name: "status 503 with Retry-After", http: status(http.StatusServiceUnavailable, "Retry-After", "7"), says: "HTTP status 503"},
		{name: "upgrade refused", http: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }, says: `HTTP status 200: \"hello\"`},
		{name: "redirect of HTTP", http: status(http.StatusFound, "Location", "http://elsewhere/"), says: "HTTP status 302"},
		{name: "wrong key", raw: httpAnswer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n"), says: "101"},
		{name: "no HTTP", raw: httpAnswer("220 mail.example.com ESMTP\r\n"), says: "malformed HTTP"},
		{name: "TLS for a plain connection", raw: httpAnswer("\x15\x03\x01\x00\x02\x02\x46"), says: "malformed HTTP"},
		{name: "plain HTTP for TLS", secure: true, raw: httpRefusal, says: "first record does not look like a TLS handshake"},
		{name: "certificate for another name", secure: true, cert: func(a *authority) tls.Certificate { return a.issue("other.example.com", time.Hour) }, says: "server-1 is not trusted"},
		{name: "certificate that has expired", secure: true, cert: func(a *authority) tls.Certificate { return a.issue("server-1", -time.Hour) }, says: "expired"},
		{name: "certificate of a stranger", secure: true, cert: func(*authority) tls.Certificate { return newAuthority().issue("server-1", time.Hour) }, says: "unknown authority"},
		{name: "huge answer", raw: endlessHTTP, says: "answer too long"},
		{name: "slow answer", raw: slowHTTP, says: "no answer within 30s"},
		{name: "no answer", raw: func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, says: "no answer within 30s"},
		{name: "hangs up", raw: func(net.Conn) {}, says: "websocket handshake: "},
		{name: "no handshake", upgraded: nothing, says: "no answer within 1m0s"},
		{name: "wrong type", upgraded: say(`{"type":8,"tid":"x"}`), says: "answered with a message of type 8"},
		{name: "no body", upgraded: say(`{"type":2}`), says: "no payload"},
		{name: "body of a wrong kind", upgraded: say(`{"type":2,"handshake":[1]}`), says: "wrong kind of value"},
		{name: "no JSON", upgraded: say(`<html>`), says: "invalid JSON"},
		{name: "no UTF-8", upgraded: say("{\"type\":2,\"x\":\"\xff\"}"), says: "UTF-8"},
		{name: "deep", upgraded: say(`{"type":2,"handshake":` + deep + `}`), says: "nested too deep"},
		{name: "huge message", upgraded: say(`{"type":2,"x":"` + strings.Repeat("x", 17<<20) + `"}`), says: "too big", during: 5 * time.Second},
		{name: "huge when decompressed", upgraded: bomb(), says: "too big", during: 5 * time.Second},
		{name: "endless message", upgraded: endlessMessage, says: "too big", during: 5 * time.Second},
		{name: "slow message", upgraded: slowMessage, says: "no answer within 1m0s"},
		{name: "hostile id", upgraded: say(`{"type":2,"handshake":{"ok":true,"id":"../../etc/passwd"}}`), says: "assigned an id that is none"},
		{name: "refusal", shake: func(*agenttest.Session) wire.HandshakePayload { return wire.HandshakePayload{Msg: "no \x1b[31mroom"} }, says: `no \\x1b[31mroom`},
		{name: "redirect in a circle", shake: func(*agenttest.Session) wire.HandshakePayload {
			return wire.HandshakePayload{Redirect: []string{"server-1"}}
		}, says: "redirected in a circle"},
		{name: "redirects without end", shake: func() func(*agenttest.Session) wire.HandshakePayload {
			var n atomic.Int64
			return func(*agenttest.Session) wire.HandshakePayload {
				return wire.HandshakePayload{Redirect: []string{fmt.Sprintf("n%d.example.com", n.Add(1))}}
			}
		}(), says: "redirected more than 5 times", during: 5 * time.Second},
		{name: "redirect to a stranger", shake: func(*agenttest.Session) wire.HandshakePayload {
			return wire.HandshakePayload{Redirect: []string{"evil.example.org"}}
		}, says: "no host of server or redirect.allow"},
		{name: "hangs up at once", taken: leave, says: "unexpected EOF"},
		{name: "bad messages", taken: badMessages, says: "bad frame from the server", during: time.Minute},
		{name: "flood of complaints", taken: floodOfErrors, says: "server reports an error", during: time.Minute},
		{name: "flood of pings", taken: floodOfPings, says: "connection lost", during: time.Minute},
		{name: "huge message later", taken: say(`{"type":8,"x":"` + strings.Repeat("x", 17<<20) + `"}`), says: "message too big", during: 5 * time.Second},
		{name: "WebSocket violated", taken: violation, says: "violation of the WebSocket protocol"},
		{name: "reads nothing", taken: func(*websocket.Conn) { time.Sleep(2 * time.Minute) }, says: "peer said nothing"},
	}
}

func nothing(c *websocket.Conn) { _, _, _ = c.NextReader() } // until the agent is gone
func leave(*websocket.Conn)     {}

func httpAnswer(text string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, text)
		}
	}
}

// httpRefusal answers like a server of HTTP that does not understand.
func httpRefusal(c net.Conn) {
	_, _ = c.Read(make([]byte, 4<<10))
	_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
}

func endlessHTTP(c net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return
	}
	_, err := io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nX: ")
	for err == nil {
		_, err = io.WriteString(c, strings.Repeat("x", 4<<10))
	}
}

func slowHTTP(c net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
		return
	}
	for _, b := range "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" {
		if _, err := c.Write([]byte{byte(b)}); err != nil {
			return
		}
		time.Sleep(5 * time.Second)
	}
}

// head writes the head of a message of n bytes.
func head(c *websocket.Conn, first byte, n uint64) error {
	b := []byte{first, 127}
	_, err := c.NetConn().Write(binary.BigEndian.AppendUint64(b, n))
	return err
}

// bomb sends 100 MB of blanks as less than one. What is beyond the limit is not looked at.
func bomb() func(*websocket.Conn) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is one
	}
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	for range 100 {
		w.Write(blanks)
	}
	w.Flush()
	data := bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
	return func(c *websocket.Conn) {
		if head(c, 0x80|0x40|websocket.TextMessage, uint64(len(data))) == nil {
			_, _ = c.NetConn().Write(data)
		}
		nothing(c)
	}
}

// endlessMessage sends one message in pieces that never end.
func endlessMessage(c *websocket.Conn) {
	piece := bytes.Repeat([]byte(" "), 1<<20)
	for first := byte(websocket.TextMessage); ; first = 0 {
		if head(c, first, uint64(len(piece))) != nil {
			return
		}
		if _, err := c.NetConn().Write(piece); err != nil {
			return
		}
		time.Sleep(time.Millisecond) // the time of the bubble would stand still
	}
}

func slowMessage(c *websocket.Conn) {
	if head(c, 0x80|websocket.TextMessage, uint64(len(taken))) != nil {
		return
	}
	for i := range taken {
		if _, err := c.NetConn().Write([]byte{taken[i]}); err != nil {
			return
		}
		time.Sleep(9 * time.Second)
	}
}

func badMessages(c *websocket.Conn) {
	for i := range 500 {
		for _, text := range []string{`{`, `[]`, `{"type":2}`, `{"type":-1}`, `{"type":30000,"tid":"x","ask":[` + fmt.Sprint(i) + `]}`, `{"type":99999}`, `{"type":30000}`} {
			if c.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
				return
			}
		}
	}
	time.Sleep(10 * time.Second)
}

func floodOfErrors(c *websocket.Conn) {
	text := []byte(`{"type":0,"errmsg":"` + strings.Repeat("x", 10_000) + `"}`)
	for range 1000 {
		if c.WriteMessage(websocket.TextMessage, text) != nil {
			return
		}
	}
	time.Sleep(10 * time.Second)
}

func floodOfPings(c *websocket.Conn) {
	for range 5_000 {
		if c.WriteControl(websocket.PingMessage, []byte("x"), time.Time{}) != nil {
			return
		}
	}
	time.Sleep(10 * time.Second)
}

func violation(c *websocket.Conn) {
	_, _ = c.NetConn().Write([]byte{0xff, 0xff, 0xff, 0xff})
	time.Sleep(10 * time.Second)
}

// answer is the behaviour as an answer to the upgrade, nil if it is none.
func (b behaviour) answer() http.HandlerFunc {
	serve := b.upgraded
	switch {
	case b.http != nil:
		return b.http
	case b.taken != nil:
		serve = func(c *websocket.Conn) {
			if c.WriteMessage(websocket.TextMessage, []byte(taken)) != nil {
				return
			}
			b.taken(c)
		}
	case serve == nil:
		return nil
	}
	return func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{EnableCompression: true}
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		if _, _, err := c.ReadMessage(); err != nil { // come
			return
		}
		reading := make(chan struct{})
		if b.taken != nil && b.name != "reads nothing" {
			go func() { // what the agent sends
				defer close(reading)
				for {
					if _, _, err := c.ReadMessage(); err != nil {
						return
					}
				}
			}()
		} else {
			close(reading)
		}
		serve(c)
		c.Close()
		<-reading
	}
}

// Whatever a server does, the agent lives, says why it has no server, asks again neither too often nor too rarely, fills no
// disk with its log, and is back when the server is well.
func TestHostileServers(t *testing.T) {
	for _, b := range behaviours() {
		t.Run(b.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var raw sync.WaitGroup
				t.Cleanup(raw.Wait)
				opt := agenttest.Options{Patience: 15 * time.Second}
				c := &testConf{}
				c.ID, c.Server, c.Reconnect.Spread = "test-01", []string{"server-1"}, -1
				c.Redirect.Allow = []string{"*.example.com"}
				beBad := b.raw
				if b.secure {
					a := newAuthority()
					c.TLS.CA = a.file(t)
					opt.TLS = &tls.Config{Certificates: []tls.Certificate{a.issue("server-1", time.Hour)}}
					if b.cert != nil {
						bad := &tls.Config{Certificates: []tls.Certificate{b.cert(a)}}
						beBad = func(c net.Conn) { _ = tls.Server(c, bad).Handshake() }
					}
				}
				srv := agenttest.NewServer(t, &opt)
				if h := b.answer(); h != nil {
					srv.Respond(h)
				}
				srv.Shake(b.shake)
				var bad atomic.Bool
				bad.Store(beBad != nil)
				app := &testApp{setup: func(ag *libagent.Agent) error {
					libagent.Handle(ag, echo, func(_ context.Context, q textPayload) (textPayload, error) { return q, nil })
					return nil
				}}
				ag := srv.Start(app, &libagent.Options{
					Config: c,
					NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
						if !bad.Load() {
							return srv.Dial(ctx, network, addr)
						}
						here, there := net.Pipe()
						raw.Go(func() {
							defer there.Close()
							beBad(there)
						})
						return here, nil
					},
				})
				during := cmp.Or(b.during, 5*time.Minute)
				time.Sleep(during)
				synctest.Wait()
				log := ag.Log()
				if !strings.Contains(log, b.says) {
					t.Errorf("the log does not say %q", b.says)
				}
				if len(log) > 150_000 {
					t.Errorf("the log has %d bytes after %v", len(log), during)
				}
				if n := len(srv.Attempts()); beBad == nil && (n < 2 || n > 20+int(during/time.Second)) {
					t.Errorf("%d attempts in %v", n, during)
				}
				bad.Store(false)
				srv.Respond(nil)
				srv.Shake(nil)
				if strings.HasPrefix(b.says, "no answer within") || b.name == "reads nothing" {
					time.Sleep(time.Minute) // the attempt that is going on
				}
				if r, err := agenttest.Call(srv.Accept(), echo, textPayload{"alive"}); err != nil || r.S != "alive" {
					t.Errorf("when the server is well again: %q, %v", r.S, err)
				}
			})
		})
	}
}

// The page that operators read lists what is tested, and nothing else.
func TestHostileServersAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/hostile-servers.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := make(map[string]bool)
	for _, table := range doccheck.Tables(string(page)) {
		for _, row := range table.Rows {
			documented[row[0]] = true
		}
	}
	for _, b := range behaviours() {
		if !documented[b.name] {
			t.Errorf("the page lacks %q", b.name)
		}
		delete(documented, b.name)
	}
	for name := range documented {
		t.Errorf("the page has %q, which is not tested", name)
	}
}
