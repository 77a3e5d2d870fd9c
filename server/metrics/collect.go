package metrics

import (
	"context"
	"math"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/prometheus/client_golang/prometheus"
)

var _ prometheus.Collector = (*Latest)(nil)

// descriptions are those of the metrics, by the end of their names.
type descriptions struct {
	all   []*prometheus.Desc
	host  map[string]*prometheus.Desc // labelled id
	named map[string]*prometheus.Desc // labelled id, and device or job
}

func newDescriptions() descriptions {
	d := descriptions{host: make(map[string]*prometheus.Desc), named: make(map[string]*prometheus.Desc)}
	add := func(into map[string]*prometheus.Desc, help [][2]string, labels ...string) {
		for _, h := range help {
			desc := prometheus.NewDesc("agent_host_"+h[0], h[1], labels, nil)
			into[h[0]] = desc
			d.all = append(d.all, desc)
		}
	}
	add(d.host, [][2]string{
		{"report_timestamp_seconds", "When the last report of usage was made, by the host's clock."},
		{"boot_time_seconds", "When the host was started."},
		{"cpus", "Logical processors."},
		{"memory_size_bytes", "Memory of the host."},
		{"cpu_usage_ratio", "Share of the time that the processors worked, between the last two reports."},
		{"load1", "Tasks that ran or waited, average of a minute."},
		{"load5", "Tasks that ran or waited, average of five minutes."},
		{"load15", "Tasks that ran or waited, average of fifteen minutes."},
		{"memory_used_bytes", "Memory in use, without buffers and caches."},
		{"memory_free_bytes", "Memory that nothing uses."},
		{"memory_available_bytes", "Memory that a new program could have."},
		{"memory_usage_ratio", "Share of the memory that is in use."},
		{"swap_used_bytes", "Swap in use."},
		{"swap_free_bytes", "Swap that is free."},
		{"collect_warnings_total", "Items that the agent could not collect."},
	}, "id")
	add(d.named, [][2]string{
		{"filesystem_used_bytes", "Bytes in use."},
		{"filesystem_free_bytes", "Bytes that are free for those without privileges."},
		{"filesystem_usage_ratio", "Share of the bytes that is in use."},
		{"filesystem_inodes_used", "Inodes in use."},
		{"filesystem_inodes_free", "Inodes that are free."},
		{"filesystem_inodes_usage_ratio", "Share of the inodes that is in use."},
		{"filesystem_read_bytes_per_second", "Bytes read from its disk, between the last two reports."},
		{"filesystem_written_bytes_per_second", "Bytes written to its disk, between the last two reports."},
		{"filesystem_io_in_progress", "Operations that its disk has not ended."},
		{"network_transmit_bytes_total", "Bytes sent."},
		{"network_receive_bytes_total", "Bytes received."},
		{"network_transmit_packets_total", "Packets sent."},
		{"network_receive_packets_total", "Packets received."},
		{"temperature_celsius", "Temperature of a sensor."},
	}, "id", "device")
	add(d.named, [][2]string{
		{"reports_total", "Reports that a job of the agent has sent."},
		{"report_bytes_total", "Bytes of these reports."},
		{"report_interval_seconds", "Time between two of them."},
	}, "id", "job")
	return d
}

// Describe implements [prometheus.Collector].
func (l *Latest) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range l.descs.all {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (l *Latest) Collect(ch chan<- prometheus.Metric) {
	all, err := l.snapshot(context.Background())
	if err != nil {
		return // a fleet that cannot be listed has no agents to tell of
	}
	for id, h := range all {
		s := series{ch, &l.descs, id}
		s.facts(&h)
		if h.usage != nil {
			s.usage(h.usage)
		}
		for _, t := range h.temps {
			s.of("temperature_celsius", t.Name, prometheus.GaugeValue, float64(t.Temperature))
		}
		if h.status != nil {
			s.status(h.status)
		}
	}
}

// series makes the metrics of one agent.
type series struct {
	ch    chan<- prometheus.Metric
	descs *descriptions
	id    string
}

// gauge makes a metric of the host.
func (s series) gauge(name string, v float64) {
	s.ch <- prometheus.MustNewConstMetric(s.descs.host[name], prometheus.GaugeValue, v, s.id)
}

// ratio makes a metric of a share in percent; one that cannot be is left out.
func (s series) ratio(name string, percent wire.Float2) {
	if v := float64(percent) / 100; v >= 0 && v <= 1 {
		s.gauge(name, v)
	}
}

// of makes a metric of a device or a job.
func (s series) of(name, label string, kind prometheus.ValueType, v float64) {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		s.ch <- prometheus.MustNewConstMetric(s.descs.named[name], kind, v, s.id, label)
	}
}

// facts makes the metrics that do not change from report to report.
func (s series) facts(h *host) {
	if h.at.Unix() > 0 {
		s.gauge("report_timestamp_seconds", float64(h.at.UnixMilli())/1000)
	}
	if h.static == nil {
		return
	}
	s.gauge("cpus", float64(h.static.CPUs))
	s.gauge("memory_size_bytes", float64(h.static.Memory))
	if h.static.Start > 0 {
		s.gauge("boot_time_seconds", float64(h.static.Start))
	}
}

// usage makes the metrics of a report. What a host does not have comes as zeros, and has no metric: load on Windows, swap, inodes.
func (s series) usage(u *wire.HostUsage) {
	s.ratio("cpu_usage_ratio", u.CPU.Usage)
	if c := u.CPU; c.Load1 > 0 || c.Load5 > 0 || c.Load15 > 0 {
		s.gauge("load1", float64(c.Load1))
		s.gauge("load5", float64(c.Load5))
		s.gauge("load15", float64(c.Load15))
	}
	if m := u.Memory; m.Used|m.Free|m.Available != 0 {
		s.gauge("memory_used_bytes", float64(m.Used))
		s.gauge("memory_free_bytes", float64(m.Free))
		s.gauge("memory_available_bytes", float64(m.Available))
		s.ratio("memory_usage_ratio", m.Usage)
	}
	if m := u.Memory; m.SwapUsed|m.SwapFree != 0 {
		s.gauge("swap_used_bytes", float64(m.SwapUsed))
		s.gauge("swap_free_bytes", float64(m.SwapFree))
	}
	for _, p := range u.Partitions {
		s.partition(p)
	}
	for _, i := range u.Interfaces {
		s.of("network_transmit_bytes_total", i.Name, prometheus.CounterValue, float64(i.BytesSent))
		s.of("network_receive_bytes_total", i.Name, prometheus.CounterValue, float64(i.BytesRecv))
		s.of("network_transmit_packets_total", i.Name, prometheus.CounterValue, float64(i.PacketsSent))
		s.of("network_receive_packets_total", i.Name, prometheus.CounterValue, float64(i.PacketsRecv))
	}
}

// partition makes the metrics of a file system.
func (s series) partition(p wire.PartitionUsage) {
	gauge := func(name string, v float64) {
		if v >= 0 {
			s.of(name, p.Name, prometheus.GaugeValue, v)
		}
	}
	ratio := func(name string, percent wire.Float2) {
		if percent <= 100 {
			gauge(name, float64(percent)/100)
		}
	}
	gauge("filesystem_used_bytes", float64(p.Used))
	gauge("filesystem_free_bytes", float64(p.Free))
	ratio("filesystem_usage_ratio", p.Usage)
	if p.InodesUsed|p.InodesFree != 0 {
		gauge("filesystem_inodes_used", float64(p.InodesUsed))
		gauge("filesystem_inodes_free", float64(p.InodesFree))
		ratio("filesystem_inodes_usage_ratio", p.InodesUsage)
	}
	gauge("filesystem_read_bytes_per_second", float64(p.ReadPerSecond))
	gauge("filesystem_written_bytes_per_second", float64(p.WritePerSecond))
	gauge("filesystem_io_in_progress", float64(p.IOInProgress))
}

// status makes the metrics of how an agent's collecting goes.
func (s series) status(r *wire.MetricsStatusPayload) {
	s.ch <- prometheus.MustNewConstMetric(s.descs.host["collect_warnings_total"], prometheus.CounterValue, float64(r.Warnings), s.id)
	for _, j := range r.Jobs {
		s.of("reports_total", j.Name, prometheus.CounterValue, float64(j.Count))
		s.of("report_bytes_total", j.Name, prometheus.CounterValue, float64(j.BytesSent))
		s.of("report_interval_seconds", j.Name, prometheus.GaugeValue, float64(j.Interval))
	}
}
