package libagent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/limit"
	"github.com/jkstack/jkframe/v2/logging"
	"github.com/jkstack/jkframe/v2/wire"
)

// Options is what an agent is run with. The zero value is only useful with a ConfigFile or a Config.
type Options struct {
	// ConfigFile is the config file: YAML or JSON if its extension says so, else key = value.
	ConfigFile string

	// Config is used in place of a file, as it is: nothing is expanded in it. Run owns it, and completes it with the
	// defaults. By default, the file is read.
	Config Settings

	// Logger is used in place of the one that the config describes. By default, that one is opened.
	Logger *slog.Logger

	// NetDial makes connections to servers. By default, over TCP.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)

	// Proxy chooses the proxy for a server, nil for none; the scheme of the request is http or https. By default,
	// that of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), and none if NetDial is set.
	Proxy func(*http.Request) (*url.URL, error)

	// Reload has the config file read again and the log files opened again with every value received. By default,
	// that does not happen.
	Reload <-chan struct{}

	// Watch has the config file read again when it has changed. By default, that does not happen.
	Watch bool

	// StopTimeout is how long the agent may take to stop. By default, 5 s.
	StopTimeout time.Duration

	// attach prepares what the process has once, and a program with several agents must not share: see Command.
	attach func(*Agent) (detach func())
}

// Run runs an agent until ctx is done, and stops it: nothing new is taken, what runs may end and is then cancelled, what
// waits is sent, the server is told goodbye. It returns when everything that it started has ended, nil if that was
// within [Options.StopTimeout]; what does not end by then is named in the error and left to itself. A config that cannot work is an error at once; a server that cannot be reached is none:
// the agent tries on.
func Run(ctx context.Context, app App, opt *Options) error {
	if opt == nil {
		opt = &Options{}
	}
	ag, err := newAgent(app, opt)
	if err != nil {
		return err
	}
	detach := func() {}
	if opt.attach != nil {
		detach = opt.attach(ag)
	}
	err = ag.run(ctx, opt)
	detach()
	ag.out.close()
	ag.web.CloseIdleConnections()
	if e := ag.applied.Close(); e != nil {
		ag.log.Warn("limits not removed", "error", e)
	}
	if ag.logs != nil {
		err = errors.Join(err, ag.logs.Close())
	}
	return err
}

// newAgent loads the config, opens the log and applies the limits.
func newAgent(app App, opt *Options) (*Agent, error) {
	if app.Name() == "" || strings.ContainsFunc(app.Name(), func(r rune) bool { return !unicode.IsGraphic(r) || strings.ContainsRune(` /\\:`, r) }) {
		return nil, fmt.Errorf("App.Name is %q: want a word such as exec-agent", app.Name())
	}
	ag := &Agent{
		app: app, file: opt.ConfigFile, log: opt.Logger, netDial: opt.NetDial, proxy: opt.Proxy,
		begin:      time.Now(),
		complaints: make(map[string]complaint),
		handlers:   make(map[wire.Type]*handler),
		declared:   make(map[wire.Type]declaration),
		taking:     make(chan struct{}, 1),
		reportNow:  make(chan struct{}, 1),
		rethink:    make(chan struct{}, 1),
		stopTime:   opt.StopTimeout,
	}
	if ag.stopTime <= 0 {
		ag.stopTime = 5 * time.Second
	}
	if ag.proxy == nil && ag.netDial == nil {
		ag.proxy = http.ProxyFromEnvironment
	}
	ag.web = ag.newWeb()
	s, findings := opt.Config, []*kvconf.Error(nil)
	if s != nil {
		s.Basic().fill(app.Name())
		if err := (&source{}).check(s); err != nil {
			return nil, err
		}
		ag.file = ""
	} else {
		ag.noteFile()
		loaded, found, err := load(app, opt.ConfigFile)
		if err != nil {
			return nil, err
		}
		s = loaded
		findings = found
	}
	ag.conf.Store(&s)
	c := s.Basic()
	ag.id = c.ID
	if err := ag.loadIdentity(); err != nil {
		return nil, err
	}
	if ag.log == nil {
		logs, err := logging.Open(c.Log)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", section, err)
		}
		ag.logs, ag.log = logs, logs.Logger()
	}
	ag.noteFindings(findings)
	out, err := openOutbox(c.Outbox, ag.log)
	if err != nil {
		err = fmt.Errorf("%s: %w", section, err)
		if ag.logs != nil {
			err = errors.Join(err, ag.logs.Close())
		}
		return nil, err
	}
	ag.out = out
	applied, err := limit.Apply(c.Limit)
	if err != nil {
		ag.log.Error("limits: the others are applied", "error", err)
	}
	ag.applied = applied
	return ag, nil
}

// run sets the app up, runs until ctx is done, and stops.
func (ag *Agent) run(ctx context.Context, opt *Options) error {
	var endLife, endReplies context.CancelFunc
	ag.life, endLife = context.WithCancel(context.Background())
	defer endLife()
	ag.replies, endReplies = context.WithCancel(ag.life)
	defer endReplies()
	ag.work, ag.calls = newWork(), newWork()
	defer ag.work.cancel()
	defer context.AfterFunc(ag.work.ctx, ag.endWaiting)()
	if err := ag.setup(ctx); err != nil {
		return err
	}
	ag.log.Info("agent starts", "name", ag.app.Name(), "version", ag.app.Version(), "config", ag.file)
	for _, r := range ag.applied.Results() {
		ag.log.Info("limit", "result", r)
	}

	jobs, endJobs := context.WithCancel(ag.work.ctx)
	defer endJobs()
	net, endNet := context.WithCancelCause(context.Background())
	defer endNet(nil)
	var connecting sync.WaitGroup
	connecting.Go(func() {
		ag.enrolFirst(net)
		if ag.identity.Load() != nil {
			connecting.Go(func() { ag.keepIdentity(net) })
		}
		ag.stayConnected(net)
	})
	endpoint := ag.listen()
	defer endpoint.close()
	ag.calls.start("Report", func() { ag.reportEvery(jobs) })
	ag.calls.start("Reload", func() { ag.reloadWhenAsked(jobs, opt.Reload, opt.Watch) })
	for _, j := range ag.jobs {
		ag.work.start(j.name, func() { j.run(jobs, ag) })
	}
	ag.startBackground(jobs)
	<-ctx.Done()

	ag.log.Info("agent stops")
	begin := time.Now()
	endJobs()
	err := ag.stop(begin, endReplies)
	endLife()
	endNet(ErrStopping)
	connecting.Wait()
	ag.calls.stop()
	last, cancel := context.WithDeadline(context.Background(), begin.Add(ag.stopTime))
	defer cancel()
	if !ag.calls.wait(last) {
		err = errors.Join(err, fmt.Errorf("stop: still running after %v: %s", ag.stopTime, ag.calls.names()))
	}
	ag.log.Info("agent stopped")
	return err
}

// setup has the author register what the agent does. It does not wait for him longer than a stop may take.
func (ag *Agent) setup(ctx context.Context) error {
	ag.serveLogs()
	var err error
	done := make(chan struct{})
	ag.calls.start("Setup", func() {
		defer close(done)
		err = ag.guard("Setup", "", func() error { return ag.app.Setup(ag) })
	})
	select {
	case <-done:
	case <-ctx.Done():
		select {
		case <-done:
		case <-time.After(ag.stopTime):
			return fmt.Errorf("set up %s: did not end within %v after the stop", ag.app.Name(), ag.stopTime)
		}
	}
	ag.started = true
	if err = errors.Join(append([]error{err}, ag.setupErrs...)...); err != nil {
		return fmt.Errorf("set up %s: %w", ag.app.Name(), err)
	}
	return nil
}

// stop ends what runs: some time for it to end by itself, some more after it was cancelled, some more without replies, and
// then what waits is sent. The rest of the time, two seconds with the default, is for the goodbye.
func (ag *Agent) stop(begin time.Time, endReplies func()) error {
	until := func(percent time.Duration) (context.Context, context.CancelFunc) {
		return context.WithDeadline(context.Background(), begin.Add(ag.stopTime*percent/100))
	}
	ag.work.stop()
	finish, cancel := until(40)
	defer cancel()
	if !ag.work.wait(finish) {
		ag.work.cancel()
		canceled, cancel := until(50)
		defer cancel()
		if !ag.work.wait(canceled) {
			endReplies()
		}
	}
	last, cancel := until(60)
	defer cancel()
	var err error
	if !ag.work.wait(last) {
		err = fmt.Errorf("stop: still running after %v: %s", time.Since(begin).Round(time.Millisecond), ag.work.names())
	}
	if s, ok := ag.app.(Stopper); ok {
		err = errors.Join(err, ag.stopAuthor(last, s))
	}
	if ag.connected() && ag.out.flush(last) != nil {
		n, size := ag.out.count()
		ag.log.Warn("not sent before the end", "frames", n, "bytes", size)
	}
	return err
}

// stopAuthor has the author clean up until ctx is done.
func (ag *Agent) stopAuthor(ctx context.Context, s Stopper) error {
	result := make(chan error, 1)
	ag.calls.start("Stop", func() {
		result <- ag.guard("Stop", "", func() error { return s.Stop(ctx, ag) })
	})
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return nil // that it still runs is said at the end
	}
}
