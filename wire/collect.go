package wire

import "time"

// CollectStatus asks what an agent collects by itself.
var CollectStatus = Call[Empty, CollectStatusReply]{
	Request: Define[Empty](34, "collect status request", "", Query),
	Reply:   Define[CollectStatusReply](35, "collect status", "hm_status_rep"),
}

// ChangeCollect says what an agent is to collect from now on; it has no answer. MetricsStatus is what an agent reports
// of its collecting, unasked.
var (
	ChangeCollect = Define[ChangeCollectPayload](36, "change collect status", "hm_change_status")
	MetricsStatus = Define[MetricsStatusPayload](37, "metrics agent status", "hm_agent_status", Newest)
)

// The names of what an agent can collect by itself.
const (
	JobStatic       = "static"
	JobUsage        = "usage"
	JobProcesses    = "process"
	JobConnections  = "conns"
	JobTemperatures = "temps"
)

// CollectStatusReply is what an agent collects by itself.
type CollectStatusReply struct {
	Jobs        []CollectJob `json:"jobs,omitempty"`
	Connections []string     `json:"aconns,omitempty"` // kinds of connections that it reports
}

// CollectJob is one thing that is collected.
type CollectJob struct {
	Name     string        `json:"name,omitempty"`
	Interval time.Duration `json:"interval,omitempty"`
}

// ChangeCollectPayload names the jobs that are to run from now on.
type ChangeCollectPayload struct {
	Jobs []string `json:"jobs,omitempty"`
}

// MetricsStatusPayload is how an agent's collecting goes.
type MetricsStatusPayload struct {
	Jobs     []JobStatus `json:"jobs,omitempty"`
	Warnings uint64      `json:"warns"` // how often something could not be collected
}

// JobStatus is how one job goes.
type JobStatus struct {
	Name      string `json:"name"`
	Interval  uint64 `json:"i"`  // seconds
	BytesSent uint64 `json:"bs"` // since the agent started
	Count     uint64 `json:"ct"` // how many reports
}
