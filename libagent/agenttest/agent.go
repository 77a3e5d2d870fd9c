package agenttest

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jkstack/jkframe/v2/libagent"
)

// Agent is an agent that runs in the test.
type Agent struct {
	log    text
	cancel context.CancelFunc
	reload chan struct{}
	ended  chan struct{} // closed when it has
	err    error         // why it has; to be read after ended
	told   atomic.Bool   // Stop has returned err
}

// Start runs an agent until the test ends, which fails if the agent does not stop in order. What opt leaves open is filled
// in: the way to this server, a log that the test shows, and, if there is neither a file nor a config, the app's own
// defaults with this server and no limits of the host. With a config that names no server it is this one.
//
// What an agent makes of a config file belongs to its test: opt.ConfigFile and [Agent.Reload].
func (s *Server) Start(app libagent.App, opt *libagent.Options) *Agent {
	var o libagent.Options
	if opt != nil {
		o = *opt
	}
	if o.ConfigFile == "" && o.Config == nil {
		o.Config = app.NewConfig()
	}
	if o.Config != nil && len(o.Config.Basic().Server) == 0 {
		o.Config.Basic().Server = []string{"server"}
	}
	if o.NetDial == nil {
		o.NetDial = s.Dial
	}
	a := &Agent{ended: make(chan struct{}), reload: make(chan struct{})}
	if o.Logger == nil {
		to := io.MultiWriter(&a.log, s.tb.Output())
		o.Logger = slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if o.Reload == nil {
		o.Reload = a.reload
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	go func() {
		defer close(a.ended)
		a.err = libagent.Run(ctx, app, &o)
		if ctx.Err() == nil {
			s.state.change(func() { s.ended = a.err })
		}
	}()
	s.tb.Cleanup(func() {
		if err := a.Stop(); err != nil {
			s.tb.Errorf("the agent ended with: %v", err)
		}
	})
	return a
}

// Stop stops the agent as a signal does, waits for it, and returns what Run has. An error that Stop has returned is the
// test's to judge; a second Stop returns nil.
func (a *Agent) Stop() error {
	a.cancel()
	<-a.ended
	if a.told.Swap(true) {
		return nil
	}
	return a.err
}

// Log returns what the agent has logged up to now, one line of text each, if it has the log that Start gives it.
func (a *Agent) Log() string { return a.log.String() }

// Reload has the agent read its config file again, as SIGHUP does. It does not wait for the end of that.
func (a *Agent) Reload() {
	select {
	case a.reload <- struct{}{}:
	case <-a.ended:
	}
}

// text is a log in memory.
type text struct {
	mu sync.Mutex // guards b
	b  strings.Builder
}

// Write appends.
func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
