package load

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// fleet is agents that are built with libagent, and reconnect as those do.
type fleet struct {
	order  order
	life   context.Context
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu       sync.Mutex           // guards what follows
	came     map[string]time.Time // when each agent has come last
	agents   map[string]*libagent.Agent
	members  map[string]*member
	failures []error
}

// member is an agent that runs.
type member struct {
	kill  context.CancelFunc
	ended chan struct{}
}

// startFleet starts agents and returns when all are connected.
func startFleet(ctx context.Context, o order) (*fleet, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &fleet{
		life: life, cancel: cancel, order: o, members: make(map[string]*member),
		came: make(map[string]time.Time), agents: make(map[string]*libagent.Agent),
	}
	ids := make([]string, o.N)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%05d", o.Prefix, i)
		f.came[ids[i]] = time.Time{}
	}
	for _, id := range ids {
		f.start(id)
	}
	if _, err := f.back(ctx, time.Time{}.Add(1)); err != nil {
		return nil, errors.Join(err, f.stop())
	}
	return f, nil
}

// start starts an agent, which runs until it is killed.
func (f *fleet) start(id string) {
	life, kill := context.WithCancel(f.life)
	m := &member{kill, make(chan struct{})}
	f.mu.Lock()
	f.members[id] = m
	f.mu.Unlock()
	cfg := &fleetConfig{}
	reports := f.order.Every > 0
	cfg.ID, cfg.Server, cfg.Monitor.Enabled, cfg.Monitor.Interval = id, []string{f.order.Addr}, &reports, f.order.Every
	f.ended.Go(func() {
		defer close(m.ended)
		defer kill()
		err := libagent.Run(life, fleetApp{f}, &libagent.Options{Config: cfg, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			f.fail(fmt.Errorf("agent %s: %w", id, err))
		}
	})
}

// shuffle kills agents at random for some time and starts them again, up to ten in a second, and returns how many.
func (f *fleet) shuffle(ctx context.Context, d time.Duration) (n int, err error) {
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(time.Second / 10)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-end.C:
			return n, nil
		case <-ctx.Done():
			return n, ctx.Err()
		}
		id := fmt.Sprintf("%s-%05d", f.order.Prefix, rand.IntN(f.order.N))
		f.mu.Lock()
		m := f.members[id]
		f.mu.Unlock()
		m.kill()
		<-m.ended
		f.start(id)
		n++
	}
}

func (f *fleet) size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.came)
}

func (f *fleet) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failures = append(f.failures, err)
}

// back waits until every agent has come after the given time, and returns how many came in each second from then on.
func (f *fleet) back(ctx context.Context, since time.Time) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		came, missing := f.cameSince(since)
		if missing == 0 {
			return came, nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return came, fmt.Errorf("%d agents have not come back", missing)
		}
	}
}

func (f *fleet) cameSince(since time.Time) (came []int, missing int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.came {
		if at.Before(since) {
			missing++
			continue
		}
		s := int(min(at.Sub(since)/time.Second, 3600))
		for len(came) <= s {
			came = append(came, 0)
		}
		came[s]++
	}
	return came, missing
}

// emit has one of the agents emit n messages of 200 bytes that are not kept, and returns when they are sent.
func (f *fleet) emit(ctx context.Context, n int) (int, error) {
	ag := f.any()
	for i := range n {
		if err := libagent.Emit(ctx, ag, volatile, note{i, strings.Repeat("x", 160)}); err != nil {
			return i, err
		}
	}
	return n, nil
}

// any returns one of the agents.
func (f *fleet) any() *libagent.Agent {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, ag := range f.agents {
		return ag
	}
	return nil
}

// stop ends all agents.
func (f *fleet) stop() error {
	f.cancel()
	f.ended.Wait()
	return errors.Join(f.failures...)
}

type fleetConfig struct {
	libagent.Config `kv:"basic"`
}

// note is a message of the load's own.
type note struct {
	N    int    `json:"n"`
	Text string `json:"text"`
}

var volatile = wire.Define[note](30000, "note", "note", wire.Connected)

// fleetApp is an agent that is there, and answers foo.
type fleetApp struct{ fleet *fleet }

var _ libagent.Connecter = fleetApp{}

func (fleetApp) Name() string                 { return "example-agent" } // which /api/foo wants
func (fleetApp) Version() string              { return "1.0.0" }
func (fleetApp) NewConfig() libagent.Settings { return &fleetConfig{} }
func (fleetApp) Setup(ag *libagent.Agent) error {
	libagent.Handle(ag, wire.Foo, func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil })
	return nil
}

// Connected notes when an agent has come.
func (a fleetApp) Connected(_ context.Context, ag *libagent.Agent) {
	f := a.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	f.came[ag.ID()] = time.Now()
	f.agents[ag.ID()] = ag
}
