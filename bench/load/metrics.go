package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// MetricsOptions say how large a fleet of metrics agents is, how often each reports, and how long.
type MetricsOptions struct {
	Agents int
	Every  time.Duration
	For    time.Duration
}

// Metrics runs a fleet whose agents report the usage of their hosts, with a server that has both sinks and is scraped every 15 s, and
// prints what that costs. It fails if a report is lost, or comes out twice.
func Metrics(ctx context.Context, bin string, opt MetricsOptions, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "load-metrics-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "reports.jsonl")
	s, err := startServer(ctx, bin, "metrics.file = "+file, "metrics.file_size = 1000G")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	fleet, err := gather(ctx, Target{Addr: s.Addr}, "host", opt.Agents, 64)
	if err != nil {
		return err
	}
	defer fleet.scatter()

	before, err := s.CPU()
	if err != nil {
		return err
	}
	begin := time.Now()
	watched := watchMetrics(ctx, s, opt.For)
	sent, err := fleet.report(ctx, opt)
	w := <-watched
	if err := errors.Join(err, w.err); err != nil {
		return err
	}
	after, err := s.CPU()
	if err != nil {
		return err
	}
	took := time.Since(begin)
	total := 0
	for _, n := range sent {
		total += n
	}
	if err := settled(ctx, s, total); err != nil {
		return err
	}
	if err := complete(file, sent); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d agents, one report each in %v, for %v: %d reports, none lost, none twice\n", opt.Agents, opt.Every, opt.For, total)
	fmt.Fprintf(out, "server: %.1f %% of a processor, %.1f MB resident at most; a scrape is %.1f MB and takes %v\n",
		(after-before).Seconds()/took.Seconds()*100, w.rss/1e6, w.scraped/1e6, w.scrape.Round(time.Millisecond))
	return nil
}

// report sends a report of one agent after the other, so that each has its turn in time, and returns how many each has sent.
func (c *crowd) report(ctx context.Context, opt MetricsOptions) ([]int, error) {
	sent := make([]int, len(c.agents))
	step := opt.Every / time.Duration(len(c.agents))
	begin := time.Now()
	for n := 0; ; n++ {
		due := begin.Add(time.Duration(n) * step)
		if due.Sub(begin) >= opt.For {
			return sent, nil
		}
		if wait := time.Until(due); wait > time.Millisecond {
			if err := pause(ctx, wait); err != nil {
				return sent, err
			}
		}
		i := n % len(c.agents)
		frame, err := usageReport(sent[i] + 1)
		if err != nil {
			return sent, err
		}
		if err := c.agents[i].SendAll(appendFrame(nil, opText, frame)); err != nil {
			return sent, err
		}
		sent[i]++
	}
}

// usageReport is what an agent of the field says, with its number as the memory in use.
func usageReport(n int) ([]byte, error) {
	now := time.Now()
	r := wire.HostDynamicReply{Begin: now, End: now, Usage: &wire.HostUsage{
		CPU:    wire.CPUUsage{Usage: 45, Load1: 2.96, Load5: 4.24, Load15: 3.22},
		Memory: wire.MemoryUsage{Used: uint64(n), Free: 23014068224, Available: 23933730816, Usage: 1.28},
	}}
	for _, name := range []string{"/", "/boot", "/home", "/var", "/srv"} {
		r.Usage.Partitions = append(r.Usage.Partitions, wire.PartitionUsage{
			Name: name, Used: 37177372672, Free: 60615921664, Usage: 38.02, InodesUsed: 722651, InodesFree: 16054565, InodesUsage: 4.31, WritePerSecond: 207268.79,
		})
	}
	for _, name := range []string{"lo", "eth0", "eth1"} {
		r.Usage.Interfaces = append(r.Usage.Interfaces, wire.InterfaceUsage{Name: name, BytesSent: 25730961, BytesRecv: 25730961, PacketsSent: 8111, PacketsRecv: 8111})
	}
	return wire.HostDynamic.Reply.Append(nil, "", &r)
}

// watched is what was seen of a server meanwhile.
type watched struct {
	rss, scraped float64 // bytes
	scrape       time.Duration
	err          error
}

// watchMetrics scrapes as Prometheus does, and looks at the memory.
func watchMetrics(ctx context.Context, s *Server, d time.Duration) <-chan watched {
	result := make(chan watched, 1)
	go func() {
		var w watched
		for begin := time.Now(); time.Since(begin) < d && w.err == nil; {
			at := time.Now()
			body, err := s.Get("/metrics")
			rss, err2 := s.RSS()
			w.scrape, w.scraped = max(w.scrape, time.Since(at)), max(w.scraped, float64(len(body)))
			w.rss = max(w.rss, float64(rss))
			w.err = errors.Join(err, err2, pause(ctx, min(15*time.Second, d-time.Since(begin))))
		}
		result <- w
	}()
	return result
}

// settled waits until the server has so many reports, and the sinks have taken all of them.
func settled(ctx context.Context, s *Server, total int) error {
	for until := time.Now().Add(patience); ; {
		values, err := s.Metrics(`agent_server_journal_messages_total{kind="plain"}`, `agent_server_journal_sink_lag{sink="metrics-file"}`)
		if err != nil {
			return err
		}
		if values[0] >= float64(total) && values[1] == 0 {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("the server has %v reports of %d, and the file lacks %v of them", values[0], total, values[1])
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// complete makes sure that each report is in the file, once.
func complete(file string, sent []int) error {
	text, err := os.Open(file)
	if err != nil {
		return err
	}
	defer text.Close()
	next := make(map[string]int)
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var l struct {
			Agent  string
			Report struct {
				Rep wire.HostDynamicReply `json:"hm_dynamic_rep"`
			}
		}
		if err := json.NewDecoder(bytes.NewReader(lines.Bytes())).Decode(&l); err != nil {
			return err
		}
		next[l.Agent]++
		if got := int(l.Report.Rep.Usage.Memory.Used); got != next[l.Agent] {
			return fmt.Errorf("agent %s: report %d stands where %d is due", l.Agent, got, next[l.Agent])
		}
	}
	for i, n := range sent {
		if id := fmt.Sprintf("host-%05d", i); next[id] != n {
			return fmt.Errorf("agent %s: %d reports of %d are there", id, next[id], n)
		}
	}
	return lines.Err()
}
