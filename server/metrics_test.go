package server_test

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// family returns the lines of the metrics whose names are given, with their help and type.
func family(metrics string, names ...string) string {
	var b strings.Builder
	for line := range strings.Lines(metrics) {
		name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE ")
		if i := strings.IndexAny(name, " {\n"); i >= 0 && slices.Contains(names, name[:i]) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// Dashboards of today are built on these very lines, which are those of the documentation.
func TestAgentMetrics(t *testing.T) {
	want, err := os.ReadFile("testdata/agent_metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, server.Config{})
	c := f.connect(t, conn.Options{})
	p := come("example-agent", "example-agent")
	p.Version = "1.0.0"
	if h := shake(t, c, p); !h.OK {
		t.Fatal(h.Msg)
	}
	before := time.Now().Unix()
	send(t, c, wire.AgentInfo, "", wire.AgentInfoPayload{
		Version: "1.0.0", GoVersion: "go1.19.3", CPUUsage: 0.1730158030986786, MemoryUsage: 0.9135397672653198,
		Threads: 10, Routines: 10, Startup: 1668065613, HeapInUse: 19652608,
		GC: wire.GCQuantiles{Q0: 1.0801e-05, Q25: 1.0801e-05, Q50: 1.6512e-05, Q75: 1.6512e-05, Q100: 1.6512e-05},
	})
	flush(t, f, c)
	after := time.Now().Unix()
	_, body := f.request(t, "GET", "/metrics")

	reportTime := `agent_info{agent_type="example-agent",id="example-agent",tag="report_time"}`
	at, err := strconv.ParseFloat(f.metric(t, reportTime), 64)
	if err != nil || at < float64(before) || at > float64(after) {
		t.Errorf("report_time %v, %v, want %d to %d", at, err, before, after)
	}
	got := family(body, "agent_info", "agent_version")
	got = strings.Replace(got, reportTime+" "+f.metric(t, reportTime), reportTime+" 1.668065623e+09", 1)
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// An agent that has not reported yet has what it said when it came, and one that has left has nothing.
func TestAgentMetricsComeAndGo(t *testing.T) {
	f := start(t, server.Config{})
	c := f.agent(t, "x", "any-agent")
	_, body := f.request(t, "GET", "/metrics")
	want := "# HELP agent_count \n# TYPE agent_count gauge\nagent_count 1\n" +
		"# HELP agent_version \n# TYPE agent_version gauge\nagent_version{go_version=\"\",id=\"x\",version=\"1.2.3\"} 1\n"
	if got := family(body, "agent_count", "agent_info", "agent_version"); got != want {
		t.Errorf("before the report:\n%s\nwant\n%s", got, want)
	}
	c.Close(conn.CodeNormal, "")
	waitFor(t, f, "agent_count", "0")
	_, body = f.request(t, "GET", "/metrics")
	if got := family(body, "agent_info", "agent_version"); got != "" {
		t.Errorf("after the agent has left:\n%s", got)
	}
}

// What agents say of themselves must not become lines of the metrics.
func TestMetricsInjection(t *testing.T) {
	const evil = "x\"} 1\n# HELP evil\nevil 1\\"
	f := start(t, server.Config{})
	c := f.connect(t, conn.Options{})
	p := come(`a"b`, evil)
	p.Version = evil
	if h := shake(t, c, p); !h.OK {
		t.Fatal(h.Msg)
	}
	send(t, c, wire.AgentInfo, "", wire.AgentInfoPayload{Version: evil, GoVersion: evil + strings.Repeat("y", 1000)})
	flush(t, f, c)
	_, body := f.request(t, "GET", "/metrics")
	for line := range strings.Lines(body) {
		if strings.HasPrefix(line, "evil") || strings.HasPrefix(line, "# HELP evil") {
			t.Errorf("line of an agent: %s", line)
		}
		if len(line) > 2000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	if want := `agent_info{agent_type="x\"} 1\n# HELP evil\nevil 1\\",id="a\"b",tag="threads"} 0`; !strings.Contains(body, want+"\n") {
		t.Errorf("no line %s in\n%s", want, family(body, "agent_info"))
	}
}

// The sums over all agents never go back, although agents leave.
func TestTrafficMetrics(t *testing.T) {
	f := start(t, server.Config{})
	c := f.agent(t, "x", "example-agent")
	serve(c, bar)
	for range 10 {
		if _, err := server.Call(t.Context(), f, "x", wire.Foo, wire.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	sums := func() (all [4]float64) {
		for i, series := range []string{
			"agent_server_received_frames_total", "agent_server_received_bytes_total",
			"agent_server_sent_frames_total", "agent_server_sent_bytes_total",
		} {
			v, err := strconv.ParseFloat(f.metric(t, series), 64)
			if err != nil {
				t.Errorf("%s: %v", series, err)
			}
			all[i] = v
		}
		return all
	}
	connected := sums()
	if connected[0] != 11 || connected[2] != 11 || connected[1] < 300 || connected[3] < 300 {
		t.Errorf("frames and bytes received, sent: %v", connected)
	}
	c.Close(conn.CodeNormal, "")
	waitFor(t, f, "agent_count", "0")
	if left := sums(); left != connected {
		t.Errorf("after the agent has left %v, before %v", left, connected)
	}
}

// Two servers in one process must not share their counters.
func TestMetricsAreOwn(t *testing.T) {
	first, second := start(t, server.Config{}), start(t, server.Config{})
	first.agent(t, "x", "any-agent")
	if got := second.metric(t, "agent_count"); got != "0" {
		t.Errorf("agent_count of the other server is %q", got)
	}
	for _, series := range []string{"go_goroutines", "process_start_time_seconds"} {
		if second.metric(t, series) == "" {
			t.Errorf("no %s", series)
		}
	}
}
