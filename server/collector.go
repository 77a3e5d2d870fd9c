package server

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// fleetCollector makes the metrics of the agents from their last reports when it is asked, so that nothing of an agent
// that has left stays behind. The names without a prefix, and their empty help, are those of the field.
type fleetCollector struct {
	sessions *registry
	tags     []*dto.LabelPair // one for each of reportTags, shared by all agents

	count, info, version            *prometheus.Desc
	framesIn, bytesIn               *prometheus.Desc
	framesOut, bytesOut, agentGauge *prometheus.Desc
	unauthenticated                 *prometheus.Desc
}

// reportTags are the values of a monitor report, as its field is called in the metrics.
var reportTags = [...]struct {
	tag   string
	value func(*report) float64
}{
	{"cpu_usage", func(r *report) float64 { return float64(r.CPUUsage) }},
	{"gc_0", func(r *report) float64 { return r.GC.Q0 }},
	{"gc_0.25", func(r *report) float64 { return r.GC.Q25 }},
	{"gc_0.5", func(r *report) float64 { return r.GC.Q50 }},
	{"gc_0.75", func(r *report) float64 { return r.GC.Q75 }},
	{"gc_1", func(r *report) float64 { return r.GC.Q100 }},
	{"heap_in_use", func(r *report) float64 { return float64(r.HeapInUse) }},
	{"in_bytes", func(r *report) float64 { return float64(r.InBytes) }},
	{"in_packets", func(r *report) float64 { return float64(r.InPackets) }},
	{"memory_usage", func(r *report) float64 { return float64(r.MemoryUsage) }},
	{"out_bytes", func(r *report) float64 { return float64(r.OutBytes) }},
	{"out_packets", func(r *report) float64 { return float64(r.OutPackets) }},
	{"read_chan_size", func(r *report) float64 { return float64(r.ReadChanSize) }},
	{"reconnect_count", func(r *report) float64 { return float64(r.Reconnects) }},
	{"report_time", func(r *report) float64 { return float64(r.at.Unix()) }},
	{"routines", func(r *report) float64 { return float64(r.Routines) }},
	{"startup", func(r *report) float64 { return float64(r.Startup) }},
	{"threads", func(r *report) float64 { return float64(r.Threads) }},
	{"write_chan_size", func(r *report) float64 { return float64(r.WriteChanSize) }},
}

var _ prometheus.Collector = (*fleetCollector)(nil)

func newFleetCollector(r *registry) *fleetCollector {
	c := &fleetCollector{
		sessions: r,
		count:    prometheus.NewDesc("agent_count", "", nil, nil),
		info:     prometheus.NewDesc("agent_info", "", []string{"agent_type", "id", "tag"}, nil),
		version:  prometheus.NewDesc("agent_version", "", []string{"go_version", "id", "version"}, nil),

		agentGauge: prometheus.NewDesc("agent_server_agents", "Agents that are connected.", nil, nil),
		unauthenticated: prometheus.NewDesc("agent_server_agents_unauthenticated",
			"Agents that are connected without a certificate: nothing proves who they are.", nil, nil),
		framesIn:  prometheus.NewDesc("agent_server_received_frames_total", "Frames that agents have sent.", nil, nil),
		bytesIn:   prometheus.NewDesc("agent_server_received_bytes_total", "Bytes of frames that agents have sent, before compression.", nil, nil),
		framesOut: prometheus.NewDesc("agent_server_sent_frames_total", "Frames sent to agents.", nil, nil),
		bytesOut:  prometheus.NewDesc("agent_server_sent_bytes_total", "Bytes of frames sent to agents, before compression.", nil, nil),
	}
	for _, t := range reportTags {
		c.tags = append(c.tags, label("tag", t.tag))
	}
	return c
}

// Describe implements [prometheus.Collector].
func (c *fleetCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.count, c.info, c.version, c.agentGauge, c.unauthenticated, c.framesIn, c.bytesIn, c.framesOut, c.bytesOut,
	} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (c *fleetCollector) Collect(ch chan<- prometheus.Metric) {
	agents, stats := c.sessions.all()
	n := float64(len(agents))
	ch <- prometheus.MustNewConstMetric(c.count, prometheus.GaugeValue, n)
	ch <- prometheus.MustNewConstMetric(c.agentGauge, prometheus.GaugeValue, n)
	unproven := 0
	for _, s := range agents {
		if !s.agent.Authenticated {
			unproven++
		}
	}
	ch <- prometheus.MustNewConstMetric(c.unauthenticated, prometheus.GaugeValue, float64(unproven))
	ch <- prometheus.MustNewConstMetric(c.framesIn, prometheus.CounterValue, float64(stats.InFrames))
	ch <- prometheus.MustNewConstMetric(c.bytesIn, prometheus.CounterValue, float64(stats.InBytes))
	ch <- prometheus.MustNewConstMetric(c.framesOut, prometheus.CounterValue, float64(stats.OutFrames))
	ch <- prometheus.MustNewConstMetric(c.bytesOut, prometheus.CounterValue, float64(stats.OutBytes))
	for _, s := range agents {
		c.collectAgent(ch, s)
	}
}

// collectAgent makes the metrics of one agent: of one that has not reported yet, what it said when it came.
func (c *fleetCollector) collectAgent(ch chan<- prometheus.Metric, s *session) {
	id := label("id", s.agent.ID)
	r := s.report.Load()
	if r == nil {
		ch <- &gauge{desc: c.version, value: 1, labels: []*dto.LabelPair{
			label("go_version", ""), id, label("version", s.agent.Version),
		}}
		return
	}
	ch <- &gauge{desc: c.version, value: 1, labels: []*dto.LabelPair{
		label("go_version", r.GoVersion), id, label("version", r.Version),
	}}
	kind := label("agent_type", s.agent.Name)
	for i, t := range reportTags {
		ch <- &gauge{desc: c.info, value: t.value(r), labels: []*dto.LabelPair{kind, id, c.tags[i]}}
	}
}

// gauge is a value whose label pairs are made by its collector: an agent's twenty lines share them.
type gauge struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair // sorted by name
	value  float64
}

// Desc implements [prometheus.Metric].
func (g *gauge) Desc() *prometheus.Desc { return g.desc }

// Write implements [prometheus.Metric].
func (g *gauge) Write(m *dto.Metric) error {
	m.Label = g.labels
	m.Gauge = &dto.Gauge{Value: &g.value}
	return nil
}

func label(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }
