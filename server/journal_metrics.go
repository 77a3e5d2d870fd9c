package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// journalCollector makes the metrics of the journal when it is asked.
type journalCollector struct {
	journal *journal

	entries, repeated, refused          *prometheus.Desc
	bytes, streams, waiting, fault, lag *prometheus.Desc
}

var _ prometheus.Collector = (*journalCollector)(nil)

func newJournalCollector(j *journal) *journalCollector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("agent_server_journal_"+name, help, labels, nil)
	}
	return &journalCollector{
		journal:  j,
		entries:  desc("messages_total", "Messages of agents that the journal has taken.", "kind"),
		repeated: desc("repeated_total", "Messages that agents have sent again, and that the journal had."),
		refused:  desc("refused_total", "Messages that no agent keeps and that the journal could not take."),
		bytes:    desc("bytes", "Bytes of the disk that the journal takes."),
		streams:  desc("streams", "Streams of agents that the journal knows."),
		waiting:  desc("streams_waiting", "Streams of agents that are not answered: sinks have not taken what they have sent, or nothing is taken."),
		fault:    desc("fault", "Whether the journal takes nothing, or did not within the last minute."),
		lag:      desc("sink_lag", "Entries of the journal that a sink has not taken.", "sink"),
	}
}

// Describe implements [prometheus.Collector].
func (c *journalCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.entries, c.repeated, c.refused, c.bytes, c.streams, c.waiting, c.fault, c.lag} {
		ch <- d
	}
}

// faultHolds is how long the metric shows a fault that is over: on a disk that is almost full it comes and goes every second, and
// whoever looks less often, or waits for an alert to last, would not see it.
const faultHolds = time.Minute

// faultShown tells whether the metric shows a fault: one that lasts, or that was seen last not long ago.
func faultShown(lasts bool, last, now time.Time) bool {
	return lasts || !last.IsZero() && now.Sub(last) < faultHolds
}

// Collect implements [prometheus.Collector].
func (c *journalCollector) Collect(ch chan<- prometheus.Metric) {
	j := c.journal
	if !j.running.Load() {
		return
	}
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
	}
	j.mu.Lock()
	n, streams, waiting, fault := j.taken, len(j.cursors), len(j.opening), 0.0
	if faultShown(j.fault != nil, j.faulty, time.Now()) {
		fault = 1
	}
	j.mu.Unlock()
	send(c.entries, prometheus.CounterValue, float64(n.messages), "kept")
	send(c.entries, prometheus.CounterValue, float64(n.plain), "plain")
	send(c.entries, prometheus.CounterValue, float64(n.missing), "missing")
	send(c.repeated, prometheus.CounterValue, float64(n.repeated))
	send(c.refused, prometheus.CounterValue, float64(n.refused))
	send(c.bytes, prometheus.GaugeValue, float64(j.queue.Stats().Disk))
	send(c.streams, prometheus.GaugeValue, float64(streams))
	send(c.waiting, prometheus.GaugeValue, float64(waiting))
	send(c.fault, prometheus.GaugeValue, fault)
	next := j.queue.Next()
	for _, s := range j.consumers {
		send(c.lag, prometheus.GaugeValue, float64(next-1-min(s.done.Load(), next-1)), s.name)
	}
}
