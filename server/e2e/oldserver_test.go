package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

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
	eventually(s.t, 20*time.Second, "the address is free", func() (ok bool) {
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
	c := &counting{t: t, home: t.TempDir(), listen: freePort(t), id: "counter", bin: build(t, "./testdata/counter")}
	old := &oldServer{t: t, addr: c.listen}
	old.start()
	const n = 6000
	agent := c.count(0, n, "")
	downs := []time.Duration{100 * time.Millisecond, 2 * time.Second}
	for _, down := range downs {
		before := len(old.heard())
		eventually(t, 20*time.Second, "the agent is heard", func() bool { return len(old.heard()) > before+500 })
		old.kill()
		time.Sleep(down)
		old.start()
	}
	eventually(t, time.Minute, "the last message has come", func() bool { return c.noted()[fmt.Sprintf("s1 %d", n-1)] && heardLast(old, n-1) })
	agent.kill()
	old.kill()
	lost, runs, next := 0, 0, 0
	for _, m := range old.heard() {
		if m < next {
			t.Fatalf("message %d comes after %d", m, next-1)
		}
		if m > next {
			runs++
			lost += m - next
		}
		next = m + 1
	}
	t.Logf("%d of %d lost, in %d runs", lost, n, runs)
	// In a second a thousand are emitted: what is lost of the 2,100 and more of the time without a server would show.
	if runs > len(downs) || lost > 1000*len(downs) {
		t.Errorf("%d of %d messages are lost, in %d runs, with %d kills; the outbox is at %s", lost, n, runs, len(downs), filepath.Join(c.home, "outbox"))
	}
}

func heardLast(s *oldServer, n int) bool {
	all := s.heard()
	return len(all) > 0 && all[len(all)-1] == n
}
