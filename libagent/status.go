package libagent

import (
	"cmp"
	"os"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/limit"
)

// Status is what an agent says of itself at one moment: to its author, at its local endpoint and to the command status.
type Status struct {
	Name    string    `json:"name"` // of the app
	Version string    `json:"version"`
	ID      string    `json:"id"` // "" until the server has assigned one
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Uptime  float64   `json:"uptime"` // seconds

	Connection ConnectionStatus `json:"connection"`
	Outbox     OutboxStatus     `json:"outbox"`
	Tasks      []TaskStatus     `json:"tasks"`  // one for each kind of request, by name
	Limits     []limit.Result   `json:"limits"` // what became of each limit that the config asks for
	Config     ConfigStatus     `json:"config"`
	Crash      *CrashStatus     `json:"crash,omitempty"` // nil when none is known
}

// ConnectionStatus is how the agent stands with its server.
type ConnectionStatus struct {
	Connected   bool      `json:"connected"`            // the handshake was made
	Server      string    `json:"server"`               // address of the server, of the last one when not connected
	Proxy       string    `json:"proxy,omitempty"`      // address of the proxy that is between
	Since       time.Time `json:"since,omitzero"`       // when Connected last changed
	Connections int       `json:"connections"`          // how often the agent has connected
	Conflict    bool      `json:"conflict"`             // another agent with this id is connected: tried again slowly
	LastError   string    `json:"last_error,omitempty"` // why it is not connected, or was not last time

	// What all connections have carried together.
	InFrames  uint64 `json:"in_frames"`
	InBytes   uint64 `json:"in_bytes"`
	OutFrames uint64 `json:"out_frames"`
	OutBytes  uint64 `json:"out_bytes"`
}

// OutboxStatus is what waits to be sent.
type OutboxStatus struct {
	Messages     int       `json:"messages"`
	Bytes        int64     `json:"bytes"`
	Oldest       time.Time `json:"oldest,omitzero"` // when the oldest message was accepted that waits for the server
	Dropped      uint64    `json:"dropped"`         // messages since the start that nobody will get
	Acknowledged bool      `json:"acknowledged"`    // the server has a journal: messages are kept until they are in it
	Fault        string    `json:"fault,omitempty"` // what the disk of the folder does wrong now
}

// TaskStatus is what the agent does of one kind of request.
type TaskStatus struct {
	Kind    string `json:"kind"`    // name of the message
	Running int    `json:"running"` // a stream until its task is closed
	Waiting int    `json:"waiting"` // for one that runs to end
}

// ConfigStatus is where the config comes from.
type ConfigStatus struct {
	File     string   `json:"file"`     // "" for none
	Findings []string `json:"findings"` // what is in the file and not used, with its place: unknown keys, limits without sense
}

// Status returns the state of the agent.
func (ag *Agent) Status() Status {
	s := Status{
		Name: ag.app.Name(), Version: ag.app.Version(), PID: os.Getpid(),
		Started: ag.begin, Uptime: time.Since(ag.begin).Seconds(),
		Connection: ag.connection(),
		Outbox:     ag.out.status(),
		Limits:     ag.applied.Results(),
	}
	ag.mu.Lock()
	defer ag.mu.Unlock()
	s.ID, s.Crash = ag.id, ag.crash
	s.Config = ConfigStatus{File: ag.file, Findings: slices.Clone(ag.findings)}
	for _, h := range ag.handlers {
		s.Tasks = append(s.Tasks, h.status())
	}
	slices.SortFunc(s.Tasks, func(a, b TaskStatus) int { return cmp.Compare(a.Kind, b.Kind) })
	return s
}

// connection returns the part of the status that is about the connection.
func (ag *Agent) connection() ConnectionStatus {
	ag.mu.Lock()
	defer ag.mu.Unlock()
	s, all := ag.link, ag.past
	if ag.conn != nil {
		all = addStats(all, ag.conn.Stats())
	}
	s.InFrames, s.InBytes, s.OutFrames, s.OutBytes = all.InFrames, all.InBytes, all.OutFrames, all.OutBytes
	return s
}

func (ag *Agent) connected() bool {
	ag.mu.Lock()
	defer ag.mu.Unlock()
	return ag.link.Connected
}

// noteFindings logs what is in the config file and not used, and keeps it for the status.
func (ag *Agent) noteFindings(findings []*kvconf.Error) {
	texts := make([]string, len(findings))
	for i, f := range findings {
		ag.log.Warn("config: not used", "why", f)
		texts[i] = f.Error()
	}
	ag.mu.Lock()
	defer ag.mu.Unlock()
	ag.findings = texts
}

// status counts the requests of this kind.
func (h *handler) status() TaskStatus {
	running, waiting := h.turns.counts()
	return TaskStatus{Kind: h.name, Running: running, Waiting: waiting}
}
