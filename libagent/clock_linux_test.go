package libagent_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
)

// Somebody sets the clock of a host by a day, back and on, while jobs run and between their runs: one of every second goes on, one of
// every hour does not run before its time, and the connection stands. An agent whose jobs go by the clock would be silent for a day,
// and nobody would see why.
func TestEveryWhileTheClockJumps(t *testing.T) {
	if os.Getenv("LIBAGENT_TEST_CLOCK") == "" {
		t.Skip("SKIP: sets the clock, which only a machine of its own allows: limit/testdata/uml.sh")
	}
	const day = 24 * time.Hour
	jump := func(by time.Duration) {
		now := syscall.NsecToTimeval(time.Now().Add(by).UnixNano())
		if err := syscall.Settimeofday(&now); err != nil {
			t.Errorf("set the clock: %v", err)
		}
	}
	soon, late := make(chan int, 100), make(chan int, 100)
	app := &testApp{setup: func(ag *libagent.Agent) error {
		runs := 0
		ag.Every("soon", time.Second, func(context.Context, *libagent.Agent) error {
			runs++
			if runs == 1 {
				jump(-day)
			}
			soon <- runs
			return nil
		})
		ag.Every("late", time.Hour, func(context.Context, *libagent.Agent) error {
			jump(day)
			late <- 1
			return nil
		}).Now()
		return nil
	}}
	srv := agenttest.NewServer(t, nil)
	ag := start(t, srv, app, nil)
	s := srv.Accept()
	next := func() {
		t.Helper()
		select {
		case <-soon:
		case <-time.After(time.Minute):
			t.Fatal("a job of every second has not run for a minute")
		}
	}
	<-late
	next()
	for _, by := range []time.Duration{-day, day, day} {
		jump(by)
		next()
		next()
	}
	if len(late) > 0 {
		t.Error("a job of every hour has run again within seconds")
	}
	if !s.Connected() {
		t.Error("the connection has ended")
	}
	stop(t, ag)
}
