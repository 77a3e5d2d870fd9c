package metrics_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/servertest"
	"github.com/jkstack/jkframe/v2/server/metrics"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/prometheus/client_golang/prometheus"
)

// usage is a report of usage.
func usage(n uint64) wire.HostDynamicReply {
	return wire.HostDynamicReply{Begin: time.Unix(1795154171, 0), End: time.Unix(1795154171, 0), Usage: &wire.HostUsage{
		CPU:    wire.CPUUsage{Usage: 45, Load1: 2.96, Load5: 4.24, Load15: 3.22},
		Memory: wire.MemoryUsage{Used: n, Free: 2, Available: 3, Usage: 50},
		Partitions: []wire.PartitionUsage{
			{Name: "/", Used: 100, Free: 300, Usage: 25, InodesUsed: 5, InodesFree: 15, InodesUsage: 25, WritePerSecond: 7.5, IOInProgress: 1},
			{Name: "/boot", Used: 1},
		},
		Interfaces: []wire.InterfaceUsage{{Name: "eth0", BytesSent: 10, BytesRecv: 20, PacketsSent: 1, PacketsRecv: 2}},
	}}
}

// scrape returns the metrics of hosts.
func (f fixture) scrape(t testing.TB) string {
	t.Helper()
	code, body := f.do(t, http.MethodGet, "/metrics", "")
	if code != http.StatusOK {
		t.Fatalf("scrape: %d %s", code, body)
	}
	var hosts strings.Builder
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "agent_host_") {
			hosts.WriteString(line)
		}
	}
	return hosts.String()
}

// await scrapes until there is a line.
func (f fixture) await(t testing.TB, line string) string {
	t.Helper()
	for {
		if text := f.scrape(t); strings.Contains(text, line+"\n") {
			return text
		}
		if t.Context().Err() != nil {
			t.Fatalf("no %q", line)
		}
		time.Sleep(5 * time.Millisecond) // a real server, over real sockets
	}
}

// What an agent reports is there for Prometheus, in its units, until the agent is gone; what the host does not have is not there.
func TestScrape(t *testing.T) {
	f := start(t, server.Config{Features: features()})
	a := f.connect(t, "m1", "metrics-agent", "linux", silent)
	_, static := frames(t, "testdata/metrics-static.jsonl")
	var frame map[string]json.RawMessage
	if err := json.Unmarshal(static, &frame); err != nil {
		t.Fatal(err)
	}
	delete(frame, "tid")
	b, err := json.Marshal(frame)
	if err != nil {
		t.Fatal(err)
	}
	a.SendRaw(string(b))
	servertest.Send(t, a, wire.HostDynamic.Reply, "", usage(1000))
	servertest.Send(t, a, wire.HostDynamic.Reply, "", wire.HostDynamicReply{Temperatures: []wire.HostTemperature{{Name: "cpu", Temperature: 41.5}}})
	servertest.Send(t, a, wire.MetricsStatus, "", wire.MetricsStatusPayload{Warnings: 2, Jobs: []wire.JobStatus{{Name: "usage", Interval: 5, BytesSent: 1000, Count: 3}}})
	text := f.await(t, `agent_host_collect_warnings_total{id="m1"} 2`)
	mustContain(t, text,
		`agent_host_cpu_usage_ratio{id="m1"} 0.45`, `agent_host_load15{id="m1"} 3.22`, `agent_host_memory_used_bytes{id="m1"} 1000`,
		`agent_host_memory_usage_ratio{id="m1"} 0.5`, `agent_host_filesystem_used_bytes{device="/",id="m1"} 100`,
		`agent_host_filesystem_usage_ratio{device="/",id="m1"} 0.25`, `agent_host_filesystem_inodes_free{device="/",id="m1"} 15`,
		`agent_host_filesystem_written_bytes_per_second{device="/",id="m1"} 7.5`,
		`agent_host_network_transmit_bytes_total{device="eth0",id="m1"} 10`, `agent_host_network_receive_packets_total{device="eth0",id="m1"} 2`,
		`agent_host_temperature_celsius{device="cpu",id="m1"} 41.5`, `agent_host_cpus{id="m1"} 2`, `agent_host_memory_size_bytes{id="m1"} 2.5276502016e+10`,
		`agent_host_boot_time_seconds{id="m1"} 1.795150586e+09`, `agent_host_reports_total{id="m1",job="usage"} 3`,
	)
	for _, absent := range []string{"swap", `inodes_used{device="/boot"`} {
		if strings.Contains(text, absent) {
			t.Errorf("%s is there", absent)
		}
	}
	a.Leave()
	for strings.Contains(f.scrape(t), `"m1"`) {
		time.Sleep(5 * time.Millisecond)
	}
	f.connect(t, "m1", "metrics-agent", "linux", silent)
	if text := f.scrape(t); text != "" {
		t.Errorf("what the agent reported in its last life is still there:\n%s", text)
	}
}

// The time of the last report is that of what is shown: neither an agent that only says how it goes, nor one that reports other things,
// makes old usage look new.
func TestTimeOfReport(t *testing.T) {
	l := metrics.NewLatest(agents{})
	minute := int64(0)
	at := func(e server.Entry) server.Entry {
		minute++
		e.Agent, e.At = "m1", time.Unix(60*minute, 0)
		return e
	}
	static, status, temps := wire.HostStaticReply{}, wire.MetricsStatusPayload{Warnings: 1}, wire.HostDynamicReply{Temperatures: []wire.HostTemperature{{Name: "a", Temperature: 1}}}
	for _, step := range []struct {
		entry server.Entry
		want  int64 // minute
	}{
		{entryOf(wire.MetricsStatus, status), 0},
		{entryOf(wire.HostStatic.Reply, static), 2},
		{entryOf(wire.HostDynamic.Reply, temps), 3},
		{entryOf(wire.HostDynamic.Reply, usage(1)), 4},
		{entryOf(wire.HostDynamic.Reply, temps), 4},
		{entryOf(wire.MetricsStatus, status), 4},
		{entryOf(wire.HostDynamic.Reply, usage(2)), 7},
	} {
		if err := l.Take(t.Context(), []server.Entry{at(step.entry)}); err != nil {
			t.Fatal(err)
		}
		registry := prometheus.NewPedanticRegistry()
		if err := registry.Register(l); err != nil {
			t.Fatal(err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := int64(0)
		for _, family := range families {
			if family.GetName() == "agent_host_report_timestamp_seconds" {
				got = int64(family.Metric[0].GetGauge().GetValue()) / 60
			}
		}
		if got != step.want {
			t.Errorf("after the report of minute %d: %d, want %d", minute, got, step.want)
		}
	}
}

// What a host is, which its agent says once a day, is there after a restart of the server as soon as the agent reports something; not
// that of an agent that is gone, and not what a crash has left of a line.
func TestFactsOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	static := wire.HostStaticReply{Memory: wire.HostMemory{Physical: 4096}, CPU: wire.HostCPU{Logical: 3}, OS: wire.HostOS{Startup: time.Unix(1795150586, 0)}}
	facts := []string{`agent_host_cpus{id="m1"} 3`, `agent_host_memory_size_bytes{id="m1"} 4096`, `agent_host_boot_time_seconds{id="m1"} 1.795150586e+09`}
	f := start(t, server.Config{DataDir: dir, Features: features()})
	a := f.connect(t, "m1", "metrics-agent", "linux", silent)
	servertest.Send(t, a, wire.HostStatic.Reply, "", static)
	mustContain(t, f.await(t, facts[0]), facts...)
	f.Stop()

	files, err := filepath.Glob(filepath.Join(dir, "metrics", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], append(text, `{"id":"m2","cp`...), 0o600); err != nil {
		t.Fatal(err)
	}
	f = start(t, server.Config{DataDir: dir, Features: features()})
	a = f.connect(t, "m1", "metrics-agent", "linux", silent)
	if text := f.scrape(t); text != "" {
		t.Errorf("the agent has reported nothing yet:\n%s", text)
	}
	servertest.Send(t, a, wire.HostDynamic.Reply, "", usage(7))
	mustContain(t, f.await(t, `agent_host_memory_used_bytes{id="m1"} 7`), facts...)
	b := f.connect(t, "m2", "metrics-agent", "linux", silent)
	static.CPU.Logical = 5
	servertest.Send(t, b, wire.HostStatic.Reply, "", static)
	f.await(t, `agent_host_cpus{id="m2"} 5`)
	f.Stop()
	text, err = os.ReadFile(files[0])
	if err != nil || strings.Count(string(text), "\n") != 2 || !json.Valid([]byte(strings.Split(string(text), "\n")[1])) {
		t.Errorf("%s, %v", text, err)
	}
}

// However often hosts change, the file of what they are does not grow for ever.
func TestFactsAreBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "facts.jsonl")
	b, err := metrics.OpenFacts(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := b.Put(fmt.Sprint("m", i%10), i); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if n := bytes.Count(text, []byte("\n")); err != nil || n > 1100 {
		t.Errorf("%d lines of 10 agents, %v", n, err)
	}
	if b, err = metrics.OpenFacts(file); err != nil || len(b.CPUs()) != 10 || b.CPUs()["m7"] != 4997 {
		t.Errorf("read again: %v, %v", b.CPUs(), err)
	}
	// A folder that is gone is an error; when it is back, the file has everything.
	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	if err := b.Put("m1", 1); err == nil {
		t.Error("saved without a folder")
	}
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := b.Put("m2", 2); err != nil {
		t.Fatal(err)
	}
	if b, err = metrics.OpenFacts(file); err != nil || len(b.CPUs()) != 10 || b.CPUs()["m1"] != 1 || b.CPUs()["m2"] != 2 {
		t.Errorf("after the fault: %v, %v", b.CPUs(), err)
	}
}

// Agents that come and go are forgotten, also on a server that nobody scrapes.
func TestGoneAreForgotten(t *testing.T) {
	l := metrics.NewLatest(agents{})
	e := entryOf(wire.MetricsStatus, wire.MetricsStatusPayload{Warnings: 1})
	for i := range 10_000 {
		if e.Agent = fmt.Sprint("m", i); l.Take(t.Context(), []server.Entry{e}) != nil {
			t.Fatal("not taken")
		}
	}
	if n := l.Known(); n > 2000 {
		t.Errorf("%d agents are remembered, of which one is connected", n)
	}
}

// agents is a fleet with the agent m1.
type agents struct{ server.Fleet }

func (agents) List(context.Context, server.Filter) ([]server.Agent, error) {
	m1 := server.Agent{}
	m1.ID = "m1"
	return []server.Agent{m1}, nil
}

// entryOf is a message in the journal.
func entryOf[T any](m *wire.Message[T], v T) server.Entry {
	frame, err := m.Append(nil, "", &v)
	if err != nil {
		panic(err)
	}
	return server.Entry{Type: m.Type(), Frame: frame}
}

// Whatever an agent reports: a scrape stays one that Prometheus reads, and no larger than its bounds.
func TestHostileReports(t *testing.T) {
	f := start(t, server.Config{Features: features()})
	id := `h"1{}`
	a := f.connect(t, id, "metrics-agent", "linux", silent)
	r := usage(1)
	for i := range 5000 {
		r.Usage.Partitions = append(r.Usage.Partitions, wire.PartitionUsage{Name: fmt.Sprintf("/p%d", i), Used: 1, Usage: 1e6})
		r.Usage.Interfaces = append(r.Usage.Interfaces, wire.InterfaceUsage{Name: "same", BytesSent: uint64(i)})
	}
	r.Usage.Partitions[0].Name = "/new\nline{\x1b[31m\"\\"
	r.Usage.Partitions[1].Name = strings.Repeat("é", 1<<19)
	r.Usage.CPU.Usage, r.Usage.Memory.Usage, r.Usage.Partitions[0].WritePerSecond = -5, 1e300, -1
	servertest.Send(t, a, wire.HostDynamic.Reply, "", r)
	a.SendRaw(`{"type":33,"hm_dynamic_rep":{"usage":{"cpu":{"usage":NaN}}}}`)
	a.SendRaw(`{"type":33,"hm_dynamic_rep":{"usage":{"cpu":{"usage":1e999}}}}`)
	a.SendRaw(`{"type":33,"hm_dynamic_rep":{"usage":{"mem":{"used":18446744073709551616}}}}`)
	a.SendRaw(`{"type":37,"hm_agent_status":{"jobs":[{"name":"\u0000\n","i":18446744073709551615,"bs":1,"ct":1}],"warns":18446744073709551615}}`)
	a.SendRaw(`{"type":31}`)
	servertest.Send(t, a, wire.HostDynamic.Reply, "", wire.HostDynamicReply{Processes: processes(100_000)})
	servertest.Send(t, a, wire.MetricsStatus, "", wire.MetricsStatusPayload{Warnings: 7})
	text := f.await(t, `agent_host_collect_warnings_total{id="h\"1{}"} 7`)
	if len(text) > 200_000 || strings.Count(text, "agent_host_filesystem_used_bytes{") != 64 || strings.Count(text, "agent_host_network_transmit_bytes_total{") != 2 {
		t.Errorf("%d bytes, %d file systems, %d interfaces", len(text), strings.Count(text, "agent_host_filesystem_used_bytes{"), strings.Count(text, "agent_host_network_transmit_bytes_total{"))
	}
	mustContain(t, text, `device="/new\nline{`, strings.Repeat("é", 127)+`"`)
	for _, line := range []string{"cpu_usage_ratio", "memory_usage_ratio", "filesystem_usage_ratio{device=\"/p1\"", "written_bytes_per_second{device=\"/new"} {
		if strings.Contains(text, line) {
			t.Errorf("%s is there, out of its range", line)
		}
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIP: promtool: it is in Debian's package prometheus")
	}
	_, all := f.do(t, http.MethodGet, "/metrics", "")
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(all + "\n")
	// Of names and help it only advises, with status 3; the names of the field are as they are.
	if said, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 3 || bytes.Contains(said, []byte("agent_host_")) {
		t.Errorf("promtool: %v\n%s", err, said)
	}
}

// slow is a sink that takes nothing until it is let go.
type slow struct {
	free chan struct{}

	mu  sync.Mutex // guards got
	got []string
}

func (s *slow) Take(ctx context.Context, entries []server.Entry) error {
	select {
	case <-s.free:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		s.got = append(s.got, e.ID)
	}
	return nil
}

// withSink is a feature that has a sink.
type withSink struct{ sink server.Sink }

func (withSink) Name() string { return "slow" }
func (w withSink) Attach(h *server.Host) error {
	return server.Attach(h, "slow", w.sink, metrics.Types()...)
}

// A sink that takes nothing loses nothing, and no other one waits for it: not the metrics, not the file.
func TestSlowSink(t *testing.T) {
	file := filepath.Join(t.TempDir(), "reports", "all.jsonl")
	feature := metrics.New(metrics.Config{File: file, FileSize: 1 << 30, FileRotate: 1})
	s := &slow{free: make(chan struct{})}
	f := start(t, server.Config{Features: []server.Feature{withSink{s}, feature}})
	a := f.connect(t, "m1", "metrics-agent", "linux", silent)
	const n = 2000
	for i := range n {
		servertest.Send(t, a, wire.HostDynamic.Reply, "", usage(uint64(i+1)))
	}
	f.await(t, fmt.Sprintf(`agent_host_memory_used_bytes{id="m1"} %d`, n))
	lines := waitLines(t, file, n)
	for i, l := range lines {
		var v struct {
			ID, Agent string
			Type      int
			Report    struct {
				Rep wire.HostDynamicReply `json:"hm_dynamic_rep"`
			}
		}
		if err := json.Unmarshal([]byte(l), &v); err != nil || v.ID == "" || v.Agent != "m1" || v.Type != 33 || v.Report.Rep.Usage.Memory.Used != uint64(i+1) {
			t.Fatalf("line %d: %s, %v", i+1, l, err)
		}
	}
	s.mu.Lock()
	early := len(s.got)
	s.mu.Unlock()
	close(s.free)
	for {
		s.mu.Lock()
		late := len(s.got)
		s.mu.Unlock()
		if late >= n {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if early != 0 || len(s.got) != n {
		t.Errorf("the slow sink has %d, had %d", len(s.got), early)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// waitLines waits until a file has so many lines.
func waitLines(t testing.TB, file string, n int) []string {
	t.Helper()
	for {
		text, err := os.ReadFile(file)
		var lines []string
		for l := bufio.NewScanner(bytes.NewReader(text)); l.Scan(); {
			lines = append(lines, l.Text())
		}
		if len(lines) >= n && bytes.HasSuffix(text, []byte("\n")) {
			if len(lines) != n {
				t.Errorf("%d lines, want %d", len(lines), n)
			}
			return lines
		}
		if t.Context().Err() != nil {
			t.Fatalf("%d lines of %d, %v", len(lines), n, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// entry is a report in the journal.
func entry(n uint64) server.Entry {
	r := usage(n)
	frame, err := wire.HostDynamic.Reply.Append(nil, "", &r)
	if err != nil {
		panic(err)
	}
	return server.Entry{Offset: n, ID: fmt.Sprint("id-", n), Agent: "m1", At: time.Unix(1795154171, 0), Type: 33, Frame: frame}
}

// The file is rotated by its size, keeps so many, and its lines stay whole, after a crash in the middle of one as well.
func TestLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "all.jsonl")
	one := entry(1)
	size := int64(3 * len(one.Frame))
	l := metrics.NewLines(file, size, 2)
	if err := os.WriteFile(file, []byte("{\"id\":\"id-0\"}\n{\"id\":\"hal"), 0o600); err != nil {
		t.Fatal(err)
	}
	multi := entry(1)
	multi.Frame = bytes.ReplaceAll(multi.Frame, []byte(":"), []byte(":\n"))
	multi.Frame = bytes.ReplaceAll(multi.Frame, []byte("T05:\n"), []byte("T05:")) // the times
	if !json.Valid(multi.Frame) {
		multi.Frame = one.Frame
	}
	if err := l.Take(t.Context(), []server.Entry{multi, {Offset: 2, ID: "id-2", Agent: "m1", Missing: 7, Why: "full"}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), "\n") != 3 || !strings.HasPrefix(string(text), "{\"id\":\"id-0\"}\n{\"id\":\"id-1\",") || !strings.Contains(string(text), `"missing":7,"why":"full"`) {
		t.Errorf("%s, %v", text, err)
	}
	for n := uint64(3); n < 40; n++ {
		if err := l.Take(t.Context(), []server.Entry{entry(n)}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(file + "*")
	if err != nil || len(files) != 3 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil || int64(len(text)) > size+2*int64(len(one.Frame)) {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		for line := range strings.Lines(string(text)) {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	folder := metrics.NewLines(t.TempDir(), size, 2)
	if err := folder.Take(t.Context(), []server.Entry{one}); err == nil {
		t.Error("a folder took a report")
	}
}

// Settings that cannot work are refused by their keys.
func TestSettings(t *testing.T) {
	for want, s := range map[string]metrics.Config{
		"metrics.file_size: less than 1 MiB":           {FileSize: 5, FileRotate: 7},
		"metrics.file_rotate: not between 0 and 10000": {FileSize: 1 << 20, FileRotate: -1},
	} {
		feature := metrics.New(s)
		if _, err := server.New(server.Config{DataDir: t.TempDir(), Features: []server.Feature{feature}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
