package e2e_test

import (
	"context"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// oldServer is a server of the field: it knows nothing of acknowledgements, and remembers nothing.
type oldServer struct {
	t    *testing.T
	addr string
	kill func()

	mu   sync.Mutex // guards what follows
	said []int
}

// start has it serve until kill, which ends it as kill -9 does: what it has not read is gone.
func (s *oldServer) start() {
	s.t.Helper()
	var l net.Listener
	eventually(s.t, "the address is free", func() (ok bool) {
		var err error
		l, err = net.Listen("tcp", s.addr)
		return err == nil
	})
	var serving, sessions sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	srv := &http.Server{
		ReadHeaderTimeout: time.Minute,
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateNew {
				mu.Lock()
				defer mu.Unlock()
				open = append(open, c)
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sessions.Add(1)
			defer sessions.Done()
			if c, err := conn.Upgrade(w, r, conn.Options{IdleTimeout: -1}); err == nil {
				s.serve(c)
				c.Close(conn.CodeNormal, "")
			}
		}),
	}
	serving.Go(func() { _ = srv.Serve(l) }) // http.ErrServerClosed
	s.kill = sync.OnceFunc(func() {
		_ = srv.Close()
		serving.Wait()
		mu.Lock()
		for _, c := range open {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
		mu.Unlock()
		sessions.Wait()
	})
	s.t.Cleanup(s.kill)
}

func (s *oldServer) serve(c *conn.Conn) {
	f, err := c.Receive()
	if err != nil {
		return
	}
	come, err := wire.Come.Decode(f)
	if err != nil {
		s.t.Error(err)
		return
	}
	b, err := wire.Handshake.Append(nil, "", &wire.HandshakePayload{OK: true, ID: come.ID})
	if err == nil {
		err = c.Send(context.Background(), conn.Control, b)
	}
	for err == nil {
		if f, err = c.Receive(); err != nil || f.Type != numbers.Type() {
			continue
		}
		n, err := numbers.Decode(f)
		if err != nil {
			s.t.Error(err)
		}
		s.mu.Lock()
		s.said = append(s.said, n.N)
		s.mu.Unlock()
	}
}

func (s *oldServer) heard() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.said...)
}

// With a server that acknowledges nothing, killed again and again, only what was on its way is lost: at each kill one run of
// messages, those after the last that it has read. What is emitted while it is away is there when it is back, once and in order.
func TestOldServerKilled(t *testing.T) {
	t.Parallel()
	c := &counting{t: t, home: t.TempDir(), listen: freeport.Addr(t), id: "counter", bin: build(t, "./testdata/counter")}
	old := &oldServer{t: t, addr: c.listen}
	old.start()
	agent := c.count(0, math.MaxInt32, "")
	downs := []time.Duration{100 * time.Millisecond, 2 * time.Second}
	var emitted []int // at each kill
	for _, down := range downs {
		before := len(old.heard())
		eventually(t, "the agent is heard", func() bool { return len(old.heard()) > before+500 })
		old.kill()
		emitted = append(emitted, len(c.noted()))
		time.Sleep(down)
		old.start()
	}
	eventually(t, "what was emitted meanwhile has come", func() bool { return slices.Max(old.heard()) > emitted[len(emitted)-1]+2000 })
	agent.kill()
	old.kill()
	lost, kills, next := 0, 0, 0
	for _, m := range old.heard() {
		if m < next {
			t.Fatalf("message %d comes after %d", m, next-1)
		}
		if m > next {
			lost += m - next
			// What was emitted when the server was killed may have been on its way, and a few more until the agent has noticed. In
			// the second time without a server two thousand are emitted.
			for kills < len(emitted) && m > emitted[kills]+1000 {
				kills++
			}
			if kills == len(emitted) {
				t.Fatalf("messages %d to %d are lost; at the kills %v were emitted; the outbox is at %s", next, m-1, emitted, filepath.Join(c.home, "outbox"))
			}
			kills++
		}
		next = m + 1
	}
	t.Logf("%d of %d lost", lost, next)
}
