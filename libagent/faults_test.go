package libagent_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"pgregory.net/rapid"
)

// fault is something that goes wrong after a time, and for a time if it is something that lasts.
type fault struct {
	After time.Duration
	Kind  string
	For   time.Duration
}

func (f fault) String() string { return fmt.Sprintf("after %v %s for %v", f.After, f.Kind, f.For) }

// faultKinds do their worst to the server; those that last return what mends it.
func faultKinds() map[string]func(srv *agenttest.Server, s *agenttest.Session) (mend func()) {
	shaken := func(h wire.HandshakePayload) func(*agenttest.Server, *agenttest.Session) func() {
		return func(srv *agenttest.Server, s *agenttest.Session) func() {
			srv.Shake(func(*agenttest.Session) wire.HandshakePayload { return h })
			s.Drop()
			return func() { srv.Shake(nil) }
		}
	}
	answered := func(h http.HandlerFunc) func(*agenttest.Server, *agenttest.Session) func() {
		return func(srv *agenttest.Server, s *agenttest.Session) func() {
			srv.Respond(h)
			s.Drop()
			return func() { srv.Respond(nil) }
		}
	}
	return map[string]func(*agenttest.Server, *agenttest.Session) func(){
		"drop":      func(_ *agenttest.Server, s *agenttest.Session) func() { s.Drop(); return nil },
		"close":     func(_ *agenttest.Server, s *agenttest.Session) func() { s.Close("restart"); return nil },
		"garbage":   func(_ *agenttest.Server, s *agenttest.Session) func() { s.SendRaw(`{"type":`); return nil },
		"handshake": func(_ *agenttest.Server, s *agenttest.Session) func() { s.SendRaw(taken); return nil },
		"flood":     func(_ *agenttest.Server, s *agenttest.Session) func() { flood(s); return nil },
		"half open": func(_ *agenttest.Server, s *agenttest.Session) func() {
			s.Freeze(true)
			return func() { s.Freeze(false) }
		},
		"partition": func(srv *agenttest.Server, _ *agenttest.Session) func() {
			srv.Freeze(true)
			return func() { srv.Freeze(false) }
		},
		"down": func(srv *agenttest.Server, s *agenttest.Session) func() {
			srv.Down(true)
			s.Drop()
			return func() { srv.Down(false) }
		},
		"refusal":    shaken(wire.HandshakePayload{Msg: "no room"}),
		"conflict":   shaken(wire.HandshakePayload{Msg: "agent id conflict"}),
		"circle":     shaken(wire.HandshakePayload{Redirect: []string{"server"}}),
		"wrong id":   shaken(wire.HandshakePayload{OK: true, ID: "../x"}),
		"status 503": answered(status(http.StatusServiceUnavailable, "Retry-After", "20")),
		"status 401": answered(status(http.StatusUnauthorized)),
	}
}

// flood sends many requests, more than may wait.
func flood(s *agenttest.Session) {
	for i := range 100 {
		s.SendRaw(fmt.Sprintf(`{"type":30002,"tid":"flood-%d","stream":{"s":"x"}}`, i))
	}
}

// suffer has an agent live through faults, and returns what is wrong with it then, "" for nothing.
func suffer(t *testing.T, faults []fault) (wrong string) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		app := &testApp{setup: func(ag *libagent.Agent) error {
			libagent.Handle(ag, echo, func(_ context.Context, q textPayload) (textPayload, error) { return q, nil })
			libagent.HandleStream(ag, stream, func(_ context.Context, task *libagent.Task, q textPayload) error {
				defer task.Close()
				return libagent.Reply(task, text, q)
			}, libagent.AtOnce(2), libagent.Queue(20))
			ag.Every("number", time.Minute, func(ctx context.Context, ag *libagent.Agent) error {
				sent++
				return libagent.Emit(ctx, ag, notice, textPayload{strconv.Itoa(sent)})
			})
			return nil
		}}
		var got numbers
		srv := agenttest.NewServer(t, &agenttest.Options{Patience: 5 * time.Minute})
		c := &testConf{}
		c.ID = "test-01"
		ag := srv.Start(app, &libagent.Options{Config: c})
		kinds := faultKinds()
		s := srv.Accept()
		var mending sync.WaitGroup
		t.Cleanup(mending.Wait)
		for _, f := range faults {
			time.Sleep(f.After)
			got.read(s)
			if !s.Connected() {
				s = srv.Accept()
			}
			if mend := kinds[f.Kind](srv, s); mend != nil {
				time.Sleep(f.For)
				mend()
				time.Sleep(time.Minute) // the end of a frozen connection
			}
			got.read(s)
			if !s.Connected() {
				s = srv.Accept()
			}
			if r, err := agenttest.Call(s, echo, textPayload{"alive"}); s.Connected() && (err != nil || r.S != "alive") {
				wrong = fmt.Sprintf("%v: the agent answers %q, %v", f, r.S, err)
			}
		}
		time.Sleep(10 * time.Minute)
		got.read(s)
		if !s.Connected() {
			s = srv.Accept()
			time.Sleep(time.Minute)
			got.read(s)
		}
		if err := ag.Stop(); err != nil {
			wrong = fmt.Sprintf("the agent ended with %v", err)
		}
		got.read(s)
		switch {
		case got.disorder != "":
			wrong = got.disorder
		case sent-got.count > 2*len(faults):
			wrong = fmt.Sprintf("%d of %d messages are lost by %d faults", sent-got.count, sent, len(faults))
		case len(ag.Log()) > 100_000+10_000*len(faults):
			wrong = fmt.Sprintf("the log has %d bytes", len(ag.Log()))
		}
	})
	return wrong
}

// numbers are those that have arrived.
type numbers struct {
	last, count int
	disorder    string
}

// read takes what has arrived over a connection.
func (n *numbers) read(s *agenttest.Session) {
	for {
		p, ok := agenttest.Poll(s, notice)
		if !ok {
			return
		}
		i, err := strconv.Atoi(p.S)
		switch {
		case err != nil || i < n.last:
			n.disorder = fmt.Sprintf("%q arrived after %d", p.S, n.last)
		case i > n.last:
			n.count++
		}
		n.last = i
	}
}

// A day of an agent whose server and network do not last ten minutes: it is there at the end of it, and what it says arrives
// in order. Every run is another day.
func TestDayOfFaults(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	kinds := slices.Sorted(maps.Keys(faultKinds()))
	var faults []fault
	for left := 24 * time.Hour; left > 0; {
		f := fault{time.Duration(r.Int64N(int64(10 * time.Minute))), kinds[r.IntN(len(kinds))], time.Duration(r.Int64N(int64(3 * time.Minute)))}
		faults = append(faults, f)
		left -= f.After + f.For
	}
	if wrong := suffer(t, faults); wrong != "" {
		t.Errorf("seed %d: %s", seed, wrong)
	}
}

// The same with short schedules, of which the shortest that goes wrong is shown.
func TestFaultSchedules(t *testing.T) {
	kinds := slices.Sorted(maps.Keys(faultKinds()))
	one := rapid.Custom(func(t *rapid.T) fault {
		return fault{
			After: time.Duration(rapid.IntRange(0, 40_000).Draw(t, "after ms")) * time.Millisecond,
			Kind:  rapid.SampledFrom(kinds).Draw(t, "kind"),
			For:   time.Duration(rapid.IntRange(0, 90_000).Draw(t, "for ms")) * time.Millisecond,
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		faults := rapid.SliceOfN(one, 1, 6).Draw(rt, "faults")
		if wrong := suffer(t, faults); wrong != "" {
			rt.Errorf("%s", wrong)
		}
	})
}
