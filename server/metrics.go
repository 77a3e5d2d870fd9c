package server

import (
	"regexp"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the server's own counters.
type metrics struct {
	registry *prometheus.Registry

	handshakes *prometheus.CounterVec   // by result
	refused    *prometheus.CounterVec   // connects before the handshake, by reason
	badFrames  *prometheus.CounterVec   // by kind
	ended      *prometheus.CounterVec   // sessions, by why
	dropped    *prometheus.CounterVec   // frames that nobody wanted, by type
	crashes    prometheus.Counter       // that agents have told of
	late       prometheus.Counter       // answers that nobody waited for any more
	failures   *prometheus.CounterVec   // of functions given to Receive, by kind
	calls      *prometheus.HistogramVec // seconds, by result
	requests   *prometheus.CounterVec   // of the API, by route and status
	unaudited  prometheus.Counter       // refusals that are not in the audit log, because there were too many
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "agent_server_" + name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	m.handshakes = counter("handshakes_total", "Handshakes with agents.", "result")
	m.refused = counter("connects_refused_total", "Connects of agents that were refused before the handshake.", "reason")
	m.badFrames = counter("bad_frames_total", "Frames of agents that could not be read.", "kind")
	m.ended = counter("sessions_ended_total", "Sessions with agents that have ended.", "reason")
	m.dropped = counter("dropped_frames_total", "Frames of agents that nobody wanted.", "type")
	m.crashes = counter("agent_crashes_total", "Crashes that agents have told of at their next start.").WithLabelValues()
	m.late = counter("late_replies_total", "Answers of agents that nobody waited for any more.").WithLabelValues()
	m.failures = counter("handler_failures_total", "Failures of functions that receive messages.", "kind")
	m.requests = counter("api_requests_total", "Requests to the API.", "route", "code")
	m.unaudited = counter("unaudited_refusals_total", "Refusals that are not in the audit log, because there were too many at once.").WithLabelValues()
	m.calls = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "agent_server_call_duration_seconds",
		Help:    "Time from a request to an agent to its answer.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"result"})
	live := collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)} // without garbage: what shows a leak
	m.registry.MustRegister(m.calls,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(live)),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// newCertificateGauge says when the certificate ends that clients are shown.
func newCertificateGauge(c *certs) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "agent_server_certificate_end_timestamp_seconds", Help: "When the certificate of the server expires.",
	}, func() float64 { return float64(c.end().Unix()) })
}
