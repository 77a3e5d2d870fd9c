package libagent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
	"github.com/jkstack/jkframe/v2/logging"
	"github.com/jkstack/jkframe/v2/wire"
)

// Options is what an agent is run with. The zero value is only useful with a ConfigFile or a Config.
type Options struct {
	// ConfigFile is the config file: YAML or JSON if its extension says so, else key = value.
	ConfigFile string

	// Config is used in place of a file. By default, the file is read.
	Config Settings

	// Logger is used in place of the one that the config describes. By default, that one is opened.
	Logger *slog.Logger

	// NetDial makes connections to servers. By default, over TCP.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Reload has the config file read again and the log files opened again with every value received. By default,
	// that does not happen.
	Reload <-chan struct{}

	// StopTimeout is how long the agent may take to stop. By default, 5 s.
	StopTimeout time.Duration
}

// Run runs an agent until ctx is done, and stops it: nothing new is taken, what runs may end and is then cancelled, what
// waits is sent, the server is told goodbye. It returns when everything that it started has ended, nil if that was
// within [Options.StopTimeout]. A config that cannot work is an error at once; a server that cannot be reached is none:
// the agent tries on.
func Run(ctx context.Context, app App, opt *Options) error {
	ag, err := newAgent(app, opt)
	if err != nil {
		return err
	}
	err = ag.run(ctx, opt)
	if e := ag.applied.Close(); e != nil {
		ag.log.Warn("limits not removed", "error", e)
	}
	if err != nil {
		ag.log.Error("agent ended", "error", err)
	}
	if ag.logs != nil {
		err = errors.Join(err, ag.logs.Close())
	}
	return err
}

// newAgent loads the config, opens the log and applies the limits.
func newAgent(app App, opt *Options) (*Agent, error) {
	ag := &Agent{
		app: app, file: opt.ConfigFile, log: opt.Logger, netDial: opt.NetDial,
		started:   time.Now(),
		handlers:  make(map[wire.Type]*handler),
		reportNow: make(chan struct{}, 1),
		stopTime:  opt.StopTimeout,
	}
	if ag.stopTime <= 0 {
		ag.stopTime = 5 * time.Second
	}
	s, findings := opt.Config, []error(nil)
	if s != nil {
		s.Basic().fill(app.Name())
		if err := (&source{}).check(s); err != nil {
			return nil, err
		}
		ag.file = ""
	} else {
		loaded, found, src, err := load(app, opt.ConfigFile)
		if err != nil {
			return nil, err
		}
		s, ag.source = loaded, src
		for _, f := range found {
			findings = append(findings, f)
		}
	}
	ag.conf.Store(&s)
	c := s.Basic()
	ag.status.ID = c.ID
	ag.out = newOutbox(int(min(c.Outbox.Memory, 1<<30)))
	if ag.log == nil {
		logs, err := logging.Open(c.Log)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", section, err)
		}
		ag.logs, ag.log = logs, logs.Logger()
	}
	for _, f := range findings {
		ag.log.Warn("config: ignored", "error", f)
	}
	applied, err := limit.Apply(c.Limit)
	if err != nil {
		ag.log.Error("limits: the others are applied", "error", err)
	}
	ag.applied = applied
	return ag, nil
}

// run sets the app up, runs until ctx is done, and stops.
func (ag *Agent) run(ctx context.Context, opt *Options) error {
	life, endLife := context.WithCancelCause(context.Background())
	defer endLife(ErrStopping)
	ag.life, ag.work = life, newWork()
	defer ag.work.cancel()
	if err := ag.setup(); err != nil {
		return err
	}
	ag.log.Info("agent starts", "name", ag.app.Name(), "version", ag.app.Version(), "config", ag.file)
	for _, r := range ag.applied.Results() {
		ag.log.Info("limit", "result", r)
	}

	jobs, endJobs := context.WithCancel(ag.work.ctx)
	defer endJobs()
	net, endNet := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { ag.stayConnected(net) })
	wg.Go(func() { ag.reportEvery(jobs) })
	for _, j := range ag.jobs {
		ag.work.start(func() { j.run(jobs, ag) })
	}
	for ctx.Err() == nil {
		select {
		case <-opt.Reload:
			ag.reload()
		case <-ctx.Done():
		}
	}

	ag.log.Info("agent stops")
	endJobs()
	err := ag.stop()
	endLife(ErrStopping)
	endNet()
	wg.Wait()
	ag.log.Info("agent stopped")
	return err
}

// setup has the author register what the agent does.
func (ag *Agent) setup() error {
	ag.serveLogs()
	err := ag.guard("Setup", "", func() error { return ag.app.Setup(ag) })
	if err = errors.Join(append([]error{err}, ag.setupErrs...)...); err != nil {
		return fmt.Errorf("set up %s: %w", ag.app.Name(), err)
	}
	return nil
}

// stop ends what runs: half of the time for it to end by itself, some more after it was cancelled, and then what waits is
// sent. The last fifth is left for the goodbye.
func (ag *Agent) stop() error {
	begin := time.Now()
	until := func(percent time.Duration) (context.Context, context.CancelFunc) {
		return context.WithDeadline(context.Background(), begin.Add(ag.stopTime*percent/100))
	}
	ag.work.stop()
	finish, cancel := until(50)
	defer cancel()
	var err error
	if !ag.work.wait(finish) {
		ag.work.cancel()
		ended, cancel := until(70)
		defer cancel()
		if !ag.work.wait(ended) {
			err = fmt.Errorf("stop: what runs did not end within %v", ag.stopTime)
		}
	}
	last, cancel := until(80)
	defer cancel()
	if s, ok := ag.app.(Stopper); ok {
		e := ag.guard("Stop", "", func() error { return s.Stop(last, ag) })
		err = errors.Join(err, e)
	}
	if ag.Status().Connected && ag.out.flush(last) != nil {
		n, size := ag.out.waiting()
		ag.log.Warn("not sent before the end", "frames", n, "bytes", size)
	}
	return err
}
