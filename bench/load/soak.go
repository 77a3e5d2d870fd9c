package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// SoakOptions say how long a fleet is kept busy, and how large it is.
type SoakOptions struct {
	For    time.Duration
	Agents int
}

// sample is the server at one moment of a soak.
type sample struct {
	inUse      float64 // bytes of heap that the last collection has left, and of stacks
	rss        float64 // bytes
	goroutines float64
}

// Soak runs a fleet that reports every second, is asked all the time, and whose agents are killed at random, and fails if the
// server grows or counts anything that is wrong. It prints a line a minute.
func Soak(ctx context.Context, bin string, opt SoakOptions, out io.Writer) (err error) {
	s, err := startServer(ctx, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	ws, err := hire(ctx, 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ws.dismiss()) }()
	o := order{Do: "fleet", Addr: s.Addr, Prefix: "soak", N: opt.Agents, Parallel: 64, Every: time.Second}
	if _, err := ws.all(o); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var asks tally
	wg.Go(func() { asks = askAtRandom(ctx, s, opt.Agents) })
	killed := make(chan error, 1)
	wg.Go(func() {
		o.Do, o.For = "shuffle", opt.For
		r, err := ws.all(o)
		if err == nil {
			fmt.Fprintf(out, "%d agents were killed and started again\n", r.N)
		}
		killed <- err
	})
	samples, err := watch(ctx, s, opt.For, out)
	if err := errors.Join(err, <-killed); err != nil {
		return err
	}
	err = allBack(ctx, s, opt.Agents)
	cancel()
	wg.Wait()
	fmt.Fprintf(out, "%d requests, %d of them for an agent that was away, %d wrong\n", asks.asked, asks.away, asks.wrong)
	return errors.Join(err, asks.first, steady(samples), nothingWrong(s))
}

// tally counts requests: those for an agent that was away, and those that failed otherwise, with the first such error.
type tally struct {
	asked, away, wrong int
	first              error
}

// askAtRandom asks one agent after the other, two hundred times a second, until ctx ends.
func askAtRandom(ctx context.Context, s *Server, agents int) (t tally) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i = (i + 7) % agents {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return t
		}
		worker, n := 0, i
		if i >= agents/2 {
			worker, n = 1, i-agents/2
		}
		_, err := s.Get(fmt.Sprintf("/api/foo/soak-%d-%05d", worker, n))
		t.asked++
		switch status := new(statusError); {
		case err == nil:
		case errors.As(err, &status) && status.away():
			t.away++
		default:
			t.wrong++
			t.first = cmp.Or(t.first, err)
		}
	}
}

// allBack waits until every agent that was killed is connected again.
func allBack(ctx context.Context, s *Server, agents int) error {
	for deadline := time.Now().Add(patience); ; {
		n, err := s.Metrics("agent_server_agents")
		if err != nil || n[0] == float64(agents) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%v of %d agents are back", n[0], agents)
		}
		if err := pause(ctx, time.Second/10); err != nil {
			return err
		}
	}
}

// enough is how many samples say something.
const enough = 8

// watch takes samples for some time, and as many as it needs.
func watch(ctx context.Context, s *Server, d time.Duration, out io.Writer) (samples []sample, err error) {
	begin := time.Now()
	every := max(d/120, time.Second)
	for i := 0; time.Since(begin) < d || i < enough; i++ {
		if err := pause(ctx, every); err != nil {
			return samples, err
		}
		rss, err := s.RSS()
		if err != nil {
			return samples, err
		}
		v, err := s.Metrics("go_gc_heap_live_bytes", "go_memstats_stack_inuse_bytes", "go_goroutines", "agent_server_agents")
		if err != nil {
			return samples, err
		}
		now := sample{v[0] + v[1], float64(rss), v[2]}
		samples = append(samples, now)
		if i%10 == 0 {
			fmt.Fprintf(out, "%8s %6.0f agents %7.1f MB in use %7.1f MB RSS %6.0f goroutines\n",
				time.Since(begin).Round(time.Second), v[3], now.inUse/1e6, now.rss/1e6, now.goroutines)
		}
	}
	return samples, nil
}

// steady compares the second quarter of a soak with the last one.
func steady(samples []sample) error {
	n := len(samples)
	mean := func(part []sample, of func(sample) float64) (sum float64) {
		for _, s := range part {
			sum += of(s)
		}
		return sum / float64(len(part))
	}
	var errs []error
	for _, c := range []struct {
		name  string
		of    func(sample) float64
		grow  float64 // as a part
		slack float64
	}{
		{"memory in use", func(s sample) float64 { return s.inUse }, 0.15, 6e6},
		{"RSS", func(s sample) float64 { return s.rss }, 0.15, 40e6}, // the garbage that a small heap gathers
		{"goroutines", func(s sample) float64 { return s.goroutines }, 0.05, 50},
	} {
		before, after := mean(samples[n/4:n/2], c.of), mean(samples[3*n/4:], c.of)
		if after > before*(1+c.grow)+c.slack {
			errs = append(errs, fmt.Errorf("%s has grown from %.0f to %.0f", c.name, before, after))
		}
	}
	return errors.Join(errs...)
}

// nothingWrong reads the counters of what should never be.
func nothingWrong(s *Server) error {
	body, err := s.Get("/metrics")
	if err != nil {
		return err
	}
	var errs []error
	for line := range strings.Lines(body) {
		for _, name := range []string{"bad_frames", "dropped_frames", "handler_failures", "agent_crashes"} {
			count := strings.Fields(line)
			if strings.HasPrefix(line, "agent_server_"+name+"_total") && count[len(count)-1] != "0" {
				errs = append(errs, fmt.Errorf("the server has counted %s", strings.TrimSpace(line)))
			}
		}
	}
	return errors.Join(errs...)
}
