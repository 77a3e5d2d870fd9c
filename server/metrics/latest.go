package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// Bounds of what is kept of one agent: a report may name anything.
const (
	maxDevices = 64  // file systems, interfaces, sensors, each
	maxLabel   = 255 // bytes of a name
)

// fewAgents is how many agents are remembered without a look at who is gone. A scrape looks as well, if there is one.
const fewAgents = 1024

// Latest keeps the last report of each kind of every agent, and makes the metrics of them. It is a sink of the journal, and a
// collector of Prometheus: the series of an agent are there while it is connected.
type Latest struct {
	fleet server.Fleet
	descs descriptions
	facts *factBook   // of the goroutine that takes
	warn  func(error) // is told when they cannot be saved

	mu     sync.Mutex // guards what follows
	agents map[string]*host
	many   int // so many agents are a reason to look who is gone
}

var _ server.Sink = (*Latest)(nil)

// host is what an agent has reported.
type host struct {
	at     time.Time // of the last report of usage, by the agent's clock; without one, of the last of something else of the host
	usage  *wire.HostUsage
	static *facts
	temps  []wire.HostTemperature
	status *wire.MetricsStatusPayload
}

// NewLatest returns one that knows of no report yet.
func NewLatest(fleet server.Fleet) *Latest {
	book, _ := openFacts("") // of nothing, it does not fail
	return &Latest{fleet: fleet, descs: newDescriptions(), facts: book, warn: func(error) {}, agents: make(map[string]*host), many: fewAgents}
}

// Take implements [server.Sink].
func (l *Latest) Take(ctx context.Context, entries []server.Entry) error {
	for _, e := range entries {
		if e.Missing == 0 {
			l.take(e)
		}
	}
	if err := l.facts.save(); err != nil {
		l.warn(err)
	}
	if l.crowded() {
		_, _ = l.snapshot(ctx) // without a list of those that are there, the next entries are another try
	}
	return nil
}

// crowded tells whether there are many more agents than the last look has left.
func (l *Latest) crowded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.agents) > l.many
}

// take keeps what a report says. What cannot be read has been counted as a bad frame when it came.
func (l *Latest) take(e server.Entry) {
	var change func(*host)
	usage := false
	switch e.Type {
	case wire.HostStatic.Reply.Type():
		if r, err := server.Decode(e, wire.HostStatic.Reply); err == nil {
			f := facts{e.Agent, r.CPU.Logical, r.Memory.Physical, r.OS.Startup.Unix()}
			l.facts.note(f)
			change = func(h *host) { h.static = &f }
		}
	case wire.HostDynamic.Reply.Type():
		r, err := server.Decode(e, wire.HostDynamic.Reply)
		switch {
		case err != nil:
		case r.Usage != nil:
			u := bounded(r.Usage)
			change, usage = func(h *host) { h.usage = u }, true
		case len(r.Temperatures) > 0:
			t := distinct(r.Temperatures, func(t *wire.HostTemperature) *string { return &t.Name })
			change = func(h *host) { h.temps = t }
		}
	case wire.MetricsStatus.Type():
		if r, err := server.Decode(e, wire.MetricsStatus); err == nil {
			r.Jobs = distinct(r.Jobs, func(j *wire.JobStatus) *string { return &j.Name })
			change = func(h *host) { h.status = &r }
		}
	}
	if change == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.agents[e.Agent]
	if h == nil {
		h = &host{}
		if f, ok := l.facts.of[e.Agent]; ok {
			h.static = &f
		}
		l.agents[e.Agent] = h
	}
	change(h)
	// How its collecting goes comes from an agent that collects nothing, too.
	if e.Type != wire.MetricsStatus.Type() && (h.usage == nil || usage) {
		h.at = e.At
	}
}

// bounded is a copy of what is kept of a report.
func bounded(u *wire.HostUsage) *wire.HostUsage {
	return &wire.HostUsage{
		CPU: u.CPU, Memory: u.Memory,
		Partitions: distinct(u.Partitions, func(p *wire.PartitionUsage) *string { return &p.Name }),
		Interfaces: distinct(u.Interfaces, func(i *wire.InterfaceUsage) *string { return &i.Name }),
	}
}

// distinct returns a copy of a list with names of bounded length, each once, and no more than there may be.
func distinct[T any](list []T, name func(*T) *string) []T {
	var some []T
	seen := make(map[string]bool)
	for i := range list {
		v := list[i]
		n := name(&v)
		if len(*n) > maxLabel {
			*n = clip(*n)
		}
		if !seen[*n] && len(some) < maxDevices {
			seen[*n] = true
			some = append(some, v)
		}
	}
	return some
}

// clip cuts a name between two characters.
func clip(s string) string {
	at := 0
	for i := range s {
		if i > maxLabel {
			break
		}
		at = i
	}
	return s[:at]
}

// snapshot returns what the connected agents have reported, and forgets the others.
func (l *Latest) snapshot(ctx context.Context) (map[string]host, error) {
	connected, err := l.fleet.List(ctx, server.Filter{})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make(map[string]host, len(connected))
	kept := make(map[string]*host, len(connected))
	for _, a := range connected {
		if h := l.agents[a.ID]; h != nil {
			all[a.ID], kept[a.ID] = *h, h
		}
	}
	l.agents, l.many = kept, max(fewAgents, 2*len(kept))
	return all, nil
}
