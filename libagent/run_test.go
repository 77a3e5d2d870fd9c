package libagent_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		libagent.Main(program())
	}
	goleak.VerifyTestMain(m)
}

// callbackApp notes its callbacks.
type callbackApp struct {
	testApp
	calls chan string
}

func (a *callbackApp) Connected(ctx context.Context, ag *libagent.Agent) {
	a.calls <- "connected"
	<-ctx.Done()
	a.calls <- "context ended"
}
func (a *callbackApp) Disconnected(_ context.Context, _ *libagent.Agent, err error) {
	a.calls <- "disconnected"
	panic("the author's code is bad")
}
func (a *callbackApp) Report(context.Context, *libagent.Agent) error {
	a.calls <- "report"
	return nil
}
func (a *callbackApp) Stop(ctx context.Context, ag *libagent.Agent) error {
	a.calls <- "stop"
	return libagent.Emit(ctx, ag, text, textPayload{"last words"})
}

var (
	_ libagent.Connecter    = (*callbackApp)(nil)
	_ libagent.Disconnecter = (*callbackApp)(nil)
	_ libagent.Reporter     = (*callbackApp)(nil)
	_ libagent.Stopper      = (*callbackApp)(nil)
)

func TestCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := &callbackApp{calls: make(chan string, 100)}
		heard := make(chan bool, 10)
		srv := newServer(t, func(s *session) {
			s.accept()
			if f, err := s.next(); err == nil && shown(t, f) == "30001  last words" {
				heard <- true
			}
			s.drain()
		})
		off := false
		ag := start(t, srv, app, func(_ *libagent.Options, c *testConf) { c.Monitor.Enabled = &off })
		time.Sleep(time.Second)
		stop(t, ag)
		var got []string
		for len(app.calls) > 0 {
			got = append(got, <-app.calls)
		}
		if s := strings.Join(got, ","); s != "connected,stop,context ended,disconnected" {
			t.Errorf("callbacks: %s", s)
		}
		if len(heard) != 1 {
			t.Error("what the author emits while stopping does not reach the server")
		}
	})
}

// The first report comes with the connection, the next ones every interval.
func TestMonitorReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := agenttest.NewServer(t, &agenttest.Options{Old: true})
		app := &callbackApp{calls: make(chan string, 100)}
		start(t, srv, app, func(_ *libagent.Options, c *testConf) { c.Monitor.Interval = 10 * time.Second })
		begin, s := time.Now(), srv.Accept()
		var reports []wire.AgentInfoPayload
		for i := range 4 {
			reports = append(reports, agenttest.Wait(s, wire.AgentInfo))
			if at := time.Since(begin).Round(time.Second); at != time.Duration(i)*10*time.Second {
				t.Errorf("report %d after %v: want one at once and one every 10 s", i, at)
			}
		}
		r := reports[3]
		if r.Version != "1.2.3" || !strings.HasPrefix(r.GoVersion, "go") || r.Threads == 0 || r.Routines == 0 || r.Startup == 0 || r.HeapInUse == 0 || r.MemoryUsage == 0 ||
			r.InPackets != 1 || r.InBytes == 0 || r.OutPackets < 4 || r.OutBytes == 0 || r.Reconnects != 0 {
			t.Errorf("the report is not full: %+v", r)
		}
	})
}

// Stop lets what runs end, and answers it; what does not end is cancelled; what does not even listen to that is an error,
// and Run returns in time all the same.
func TestStop(t *testing.T) {
	tests := []struct {
		name   string
		handle func(ctx context.Context, release chan struct{}) error
		answer string
		within time.Duration
		fails  bool
	}{
		{"ends by itself", func(context.Context, chan struct{}) error { time.Sleep(1500 * time.Millisecond); return nil }, "30001 t ", 2 * time.Second, false},
		{"ends when cancelled", func(ctx context.Context, _ chan struct{}) error { <-ctx.Done(); return errors.New("cancelled") }, "0 t cancelled", 3 * time.Second, false},
		{"does not end", func(_ context.Context, release chan struct{}) error { <-release; return nil }, "", 5 * time.Second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				app := &testApp{setup: func(ag *libagent.Agent) error {
					libagent.Handle(ag, echo, func(ctx context.Context, q textPayload) (textPayload, error) {
						return q, tt.handle(ctx, release)
					})
					return nil
				}}
				srv := newServer(t, nil)
				ag := start(t, srv, app, nil)
				s := srv.Accept()
				agenttest.SendTask(s, "t", ask, textPayload{})
				synctest.Wait()
				begin := time.Now()
				err := ag.Stop()
				if took := time.Since(begin); took > tt.within {
					t.Errorf("stopping took %v", took)
				}
				if (err != nil) != tt.fails {
					t.Errorf("Run returned %v", err)
				}
				if tt.answer != "" {
					expect(t, s, tt.answer)
				}
				close(release)
			})
		})
	}
}

// A job never overlaps itself, and neither an error nor a panic ends it. An error is in the log, one of a context of its own too.
func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs, now atomic.Int64
		app := &testApp{setup: func(ag *libagent.Agent) error {
			ag.Every("job", 10*time.Second, func(ctx context.Context, _ *libagent.Agent) error {
				if now.Add(1) > 1 {
					t.Error("the job runs beside itself")
				}
				defer now.Add(-1)
				switch runs.Add(1) {
				case 1:
					return fmt.Errorf("no luck: %w", context.Canceled)
				case 2:
					panic("oh")
				case 3:
					time.Sleep(25 * time.Second)
				}
				return nil
			})
			ag.Every("never", math.MaxInt64, func(context.Context, *libagent.Agent) error {
				t.Error("a job of every 292 years runs")
				return nil
			})
			return nil
		}}
		srv := newServer(t, nil)
		srv.Down(true)
		ag := start(t, srv, app, nil)
		time.Sleep(62 * time.Second) // 10, 20, 30 (to 55), 55
		synctest.Wait()
		stop(t, ag)
		if n := runs.Load(); n != 4 {
			t.Errorf("%d runs in 62 s, want 4", n)
		}
		if strings.Count(ag.Log(), "no luck") != 1 || strings.Count(ag.Log(), "panic=oh") != 1 {
			t.Errorf("faults of the job are not in the log:\n%s", ag.Log())
		}
	})
}

func TestSetupErrors(t *testing.T) {
	foo := func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil }
	for want, setup := range map[string]func(ag *libagent.Agent) error{
		"no database": func(*libagent.Agent) error { return errors.New("no database") },
		"panic: oh":   func(*libagent.Agent) error { panic("oh") },
		"foo (8) is handled twice": func(ag *libagent.Agent) error {
			libagent.Handle(ag, wire.Foo, foo)
			libagent.Handle(ag, wire.Foo, foo)
			return nil
		},
		`job "x": interval 0s is not`: func(ag *libagent.Agent) error { ag.Every("x", 0, nil); return nil },
		"the handshake cannot be handled": func(ag *libagent.Agent) error {
			libagent.HandleNotice(ag, wire.Handshake, func(context.Context, wire.HandshakePayload) error { return nil })
			return nil
		},
	} {
		err := libagent.Run(t.Context(), &testApp{setup: setup}, &libagent.Options{Config: validConf()})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Run = %v, want %q", err, want)
		}
	}
}

var errEnough = errors.New("enough seen")
