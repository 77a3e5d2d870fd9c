package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// A stranger's own messages, declared once for both ends.
type number struct {
	N int `json:"n"`
}

var (
	report = wire.Define[number](30000, "report", "report")
	double = wire.Call[number, number]{
		Request: wire.Define[number](30001, "double", "double"),
		Reply:   wire.Define[number](30002, "doubled", "doubled"),
	}
)

type conf struct {
	libagent.Config `kv:"basic"`
}

// numberApp counts, and doubles what it is asked.
type numberApp struct{ interval time.Duration }

func (numberApp) Name() string                 { return "number-agent" }
func (numberApp) Version() string              { return "1.0.0" }
func (numberApp) NewConfig() libagent.Settings { return &conf{} }
func (a numberApp) Setup(ag *libagent.Agent) error {
	libagent.Handle(ag, double, func(_ context.Context, q number) (number, error) {
		if q.N < 0 {
			return q, errors.New("too small")
		}
		return number{2 * q.N}, nil
	})
	if a.interval > 0 {
		n := 0
		ag.Every("count", a.interval, func(ctx context.Context, ag *libagent.Agent) error {
			n++
			return libagent.Emit(ctx, ag, report, number{n})
		})
	}
	return nil
}

// startServer runs a server until the test ends.
func startServer(t *testing.T, change func(*server.Server)) *server.Server {
	t.Helper()
	cfg := server.Config{
		Listen: "127.0.0.1:0", DataDir: filepath.Join(t.TempDir(), "data"), Logger: slog.New(slog.DiscardHandler),
	}
	cfg.API.Listen = "127.0.0.1:0"
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(s)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	return s
}

// startAgent runs an agent until the test ends.
func startAgent(t *testing.T, app libagent.App, id, addr string, dial func(ctx context.Context, network, addr string) (net.Conn, error)) {
	t.Helper()
	c := &conf{}
	c.ID, c.Server, c.Monitor.Interval = id, []string{addr}, time.Second
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- libagent.Run(ctx, app, &libagent.Options{Config: c, Logger: slog.New(slog.DiscardHandler), NetDial: dial})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("agent %s ended with %v", id, err)
		}
	})
}

func connected(s *server.Server) int {
	list, _ := s.List(context.Background(), server.Filter{})
	return len(list)
}

// What a stranger needs for messages of his own: ask, be told, be told off.
func TestOwnMessages(t *testing.T) {
	var last atomic.Int64
	s := startServer(t, func(s *server.Server) {
		server.Receive(s, report, func(_ context.Context, a server.Agent, v number) error {
			if a.ID != "stranger" || a.Name != "number-agent" {
				t.Errorf("a report came from %+v", a)
			}
			last.Store(int64(v.N))
			return nil
		})
	})
	startAgent(t, numberApp{10 * time.Millisecond}, "stranger", s.AgentAddr().String(), nil)
	eventually(t, "reports arrive", func() bool { return last.Load() > 5 })
	ctx := context.Background()
	if r, err := server.Call(ctx, s, "stranger", double, number{21}); r.N != 42 || err != nil {
		t.Errorf("double(21) = %d, %v", r.N, err)
	}
	var ae *server.AgentError
	if _, err := server.Call(ctx, s, "stranger", double, number{-1}); !errors.As(err, &ae) || ae.Text != "too small" {
		t.Errorf("double(-1): %v, want the agent's own error", err)
	}
	if _, err := server.Call(ctx, s, "nobody", double, number{1}); !errors.Is(err, server.ErrNotFound) {
		t.Errorf("a call to nobody: %v", err)
	}
}

// flakyNet makes connections that fail at random: some are reset, some go silent without a word.
type flakyNet struct {
	mean time.Duration // how long a connection lives
	calm atomic.Bool   // nothing fails any more

	resets, silences atomic.Int64
}

type flakyConn struct {
	net.Conn
	silent atomic.Bool
	timer  *time.Timer
}

func (n *flakyNet) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	f := &flakyConn{Conn: c}
	f.timer = time.AfterFunc(time.Duration(rand.ExpFloat64()*float64(n.mean)), func() {
		if n.calm.Load() {
			return
		}
		if rand.IntN(10) == 0 {
			n.silences.Add(1)
			f.silent.Store(true)
			return
		}
		n.resets.Add(1)
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	})
	return f, nil
}

// Read of a silent connection gets nothing until its deadline.
func (f *flakyConn) Read(p []byte) (int, error) {
	for {
		n, err := f.Conn.Read(p)
		if err != nil || !f.silent.Load() {
			return n, err
		}
	}
}

// Write of a silent connection goes nowhere.
func (f *flakyConn) Write(p []byte) (int, error) {
	if f.silent.Load() {
		return len(p), nil
	}
	return f.Conn.Write(p)
}

func (f *flakyConn) Close() error {
	f.timer.Stop()
	return f.Conn.Close()
}

// A hundred agents whose connections break at random: requests are answered all the while, everybody comes back, and
// nothing is left when all have ended.
func TestFlakyFleet(t *testing.T) {
	t.Parallel()
	const agents = 100
	lasts := time.Minute
	if testing.Short() {
		lasts = 5 * time.Second
	}
	s := startServer(t, nil)
	flaky := &flakyNet{mean: 15 * time.Second}
	for i := range agents {
		startAgent(t, numberApp{time.Second}, fmt.Sprintf("agent-%d", i), s.AgentAddr().String(), flaky.dial)
	}
	eventually(t, "most agents are connected", func() bool { return connected(s) > agents*3/4 })

	var asked, answered, wrong atomic.Int64
	var wg sync.WaitGroup
	end := time.Now().Add(lasts)
	for range 8 {
		wg.Go(func() {
			for time.Now().Before(end) {
				n := rand.IntN(1 << 20)
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				r, err := server.Call(ctx, s, fmt.Sprintf("agent-%d", rand.IntN(agents)), double, number{n})
				cancel()
				asked.Add(1)
				if err == nil {
					answered.Add(1)
					if r.N != 2*n {
						wrong.Add(1)
					}
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d resets, %d silences, %d of %d requests answered", flaky.resets.Load(), flaky.silences.Load(), answered.Load(), asked.Load())
	if wrong.Load() > 0 {
		t.Errorf("%d answers were those of other requests", wrong.Load())
	}
	if answered.Load() == 0 || flaky.resets.Load() == 0 {
		t.Error("the test tried nothing")
	}
	flaky.calm.Store(true)
	answering := 0
	eventually(t, "all agents are back", func() bool {
		if connected(s) < agents {
			return false
		}
		for ; answering < agents; answering++ {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			_, err := server.Call(ctx, s, fmt.Sprintf("agent-%d", answering), double, number{1})
			cancel()
			if err != nil {
				return false
			}
		}
		return true
	})
}
