package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Options say how much is measured. The zero value measures what docs/performance.md shows.
type Options struct {
	Agents int           // idle agents, and those whose server is killed. By default, 10,000.
	Runs   int           // how often each figure is taken. By default, 3.
	For    time.Duration // of each run of requests and handshakes. By default, 5 s.
	Settle time.Duration // how long a crowd stays before its memory is read. By default, 8 s.
	Only   []string      // parts that are measured, of memory, memory-tls, handshakes, handshakes-tls, requests, messages and restart. By default, all.
	Out    io.Writer     // what is being measured. By default, nothing is printed.
}

func (o Options) withDefaults() Options {
	if o.Agents <= 0 {
		o.Agents = 10_000
	}
	if o.Runs <= 0 {
		o.Runs = 3
	}
	if o.For <= 0 {
		o.For = 5 * time.Second
	}
	if o.Settle <= 0 {
		o.Settle = 8 * time.Second // the server gives back what it needed to let them in
	}
	if o.Out == nil {
		o.Out = io.Discard
	}
	return o
}

// bench is one run of everything.
type bench struct {
	Options
	bin     string // the agent-server
	workers workers
	table   *Table
}

// Bench measures the agent-server that was built as bin, and its peers beside it.
func Bench(ctx context.Context, bin string, opt Options) (table *Table, err error) {
	ws, err := hire(ctx, 2)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ws.dismiss()) }()
	b := &bench{Options: opt.withDefaults(), bin: bin, workers: ws, table: newTable()}
	for run := range b.Runs {
		for _, part := range []struct {
			name    string
			measure func(context.Context) error
		}{
			{"memory", b.memory},
			{"memory-tls", b.memoryTLS},
			{"handshakes", b.handshakes},
			{"handshakes-tls", b.handshakesTLS},
			{"requests", b.requests},
			{"messages", b.messages},
			{"restart", b.restart},
		} {
			if len(b.Only) > 0 && !slices.Contains(b.Only, part.name) {
				continue
			}
			fmt.Fprintf(b.Out, "run %d of %d: %s\n", run+1, b.Runs, part.name)
			if err := part.measure(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	return b.table, nil
}

// with runs a server or, if kind says so, a peer for the time of a measurement.
func (b *bench) with(ctx context.Context, kind string, measure func(*Server) error) (err error) {
	var s *Server
	if kind == ours {
		s, err = startServer(ctx, b.bin)
	} else {
		s, err = startPeer(ctx, kind)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	if err := measure(s); err != nil {
		return fmt.Errorf("%s: %w\n%s", kind, err, s.output())
	}
	return nil
}

func (b *bench) memory(ctx context.Context) error {
	for _, kind := range []string{ours, "gorilla", "tcp"} {
		o := order{N: b.Agents}
		if kind == "tcp" {
			o.Say = Nothing
		}
		if err := b.idle(ctx, kind, "memory", o, false); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) memoryTLS(ctx context.Context) error {
	if err := b.idle(ctx, ours, "memory.tls", order{N: b.Agents}, true); err != nil {
		return err
	}
	return b.idle(ctx, "tls", "memory.tls", order{N: b.Agents, Say: Nothing}, true)
}

// idle measures what idle agents cost a server.
func (b *bench) idle(ctx context.Context, kind, name string, o order, secured bool) error {
	return b.with(ctx, kind, func(s *Server) error {
		if secured {
			o.CA = s.CA
		}
		costs, err := idleMemory(ctx, b.workers, s, o, b.Settle)
		if err != nil {
			return err
		}
		for i, crowd := range []string{"first", "others"} {
			b.table.add(name+"."+crowd, kind, costs[i].rss)
			if kind == ours {
				b.table.add(name+".inuse."+crowd, kind, costs[i].inUse)
			}
		}
		return nil
	})
}

func (b *bench) handshakes(ctx context.Context) error {
	for _, kind := range []string{ours, "gorilla", "opamp"} {
		var say Hello
		if kind == "opamp" {
			say = OpAMP
		}
		if err := b.churn(ctx, kind, "handshakes", say, false); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) handshakesTLS(ctx context.Context) error {
	if err := b.churn(ctx, ours, "handshakes.tls", "", true); err != nil {
		return err
	}
	return b.churn(ctx, "tls", "handshakes.tls", Nothing, true)
}

// churn measures how many agents a second can come and go.
func (b *bench) churn(ctx context.Context, kind, name string, say Hello, secured bool) error {
	return b.with(ctx, kind, func(s *Server) error {
		o := order{Do: "churn", Addr: s.Addr, Say: say, Parallel: 64, Prefix: "churn", For: b.For}
		if secured {
			o.CA = s.CA
		}
		r, err := b.workers.all(o)
		b.table.add(name, kind, float64(r.N)/b.For.Seconds())
		return err
	})
}

func (b *bench) requests(ctx context.Context) error {
	for _, kind := range []string{ours, "relay", "http"} {
		err := b.with(ctx, kind, func(s *Server) error {
			addr, path := s.Addr, "/"
			agent := order{Do: "echo", Addr: s.Addr}
			if kind == ours {
				agent = order{Do: "fleet", Addr: s.Addr, Prefix: "asked", N: 1, Parallel: 1}
				addr, path = s.API, "/api/foo/asked-0-00000"
			}
			if kind != "http" {
				if _, err := b.workers[:1].all(agent); err != nil {
					return err
				}
			}
			for _, callers := range []int{1, 50} {
				l, err := requests(ctx, addr, s.token, path, callers, b.For)
				if err != nil {
					return err
				}
				b.table.add(fmt.Sprintf("requests.%d", callers), kind, l.rate)
				b.table.add(fmt.Sprintf("p50.%d", callers), kind, l.p50.Seconds()*1000)
				b.table.add(fmt.Sprintf("p99.%d", callers), kind, l.p99.Seconds()*1000)
			}
			_, err := b.workers[:1].all(order{Do: "drop"})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) messages(ctx context.Context) error {
	const n = 1_500_000
	for _, kind := range []string{ours, "gorilla"} {
		err := b.with(ctx, kind, func(s *Server) error {
			rate, err := messages(ctx, Target{Addr: s.Addr}, n)
			b.table.add("messages", kind, rate)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) restart(ctx context.Context) error {
	return b.with(ctx, ours, func(s *Server) error {
		c, err := restart(ctx, b.workers, s, order{N: b.Agents, Parallel: 64}, b.Settle, time.Second)
		if err == nil {
			b.table.add("back", ours, c.all.Seconds())
			b.table.add("crowd", ours, 100*c.crowd)
			fmt.Fprintf(b.Out, "agents back by second since the kill: %v\n", c.Came)
		}
		return err
	})
}
