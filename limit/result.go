package limit

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Mechanism is what holds a limit.
type Mechanism string

// The mechanisms.
const (
	// None: nothing holds the limit; Result.Note says why.
	None Mechanism = "none"
	// CgroupV1 and CgroupV2 are control groups of Linux.
	CgroupV1 Mechanism = "cgroup v1"
	CgroupV2 Mechanism = "cgroup v2"
	// Systemd is the limit of a unit that the program runs under, its own or a slice above it.
	Systemd Mechanism = "systemd"
	// JobObject is a job object of Windows.
	JobObject Mechanism = "job object"
	// ProcessTree is a group of children that nothing holds together but their descent, their process groups and sessions,
	// and a mark in their environment. It is never what holds a limit.
	ProcessTree Mechanism = "process tree"
	// GoRuntime is the Go runtime: GOMAXPROCS, GOMEMLIMIT. It slows this process, and neither stops it nor reaches its
	// children.
	GoRuntime Mechanism = "Go runtime"
)

// The limits that results are about: Result.Limit is one of them. They are named as in the configuration.
const (
	CPUQuota   = "cpu_quota"              // percent of one core
	Memory     = "memory_limit"           // bytes
	ReadBytes  = "disk_limit.read_bytes"  // bytes a second
	WriteBytes = "disk_limit.write_bytes" // bytes a second
	ReadIOPS   = "disk_limit.read_iops"   // operations a second
	WriteIOPS  = "disk_limit.write_iops"  // operations a second
	Processes  = "processes"              // processes and threads, of a Group
)

// Result is what became of one limit that was asked for.
type Result struct {
	Limit     string    `json:"limit"`            // CPUQuota, Memory, …
	Device    string    `json:"device,omitempty"` // of a disk limit, as it was configured
	Want      uint64    `json:"want"`             // what was asked for, in the limit's unit
	Mechanism Mechanism `json:"mechanism"`        // what holds it
	Holds     uint64    `json:"holds"`            // the limit in force, in the same unit; 0: none
	Where     string    `json:"where,omitempty"`  // the control group that carries it
	Note      string    `json:"note,omitempty"`   // why nothing holds it, or what else is worth knowing
}

// Held says whether the operating system holds the limit at what was asked for, or tighter. What only the Go runtime
// does is not held.
func (r Result) Held() bool {
	return r.Mechanism != None && r.Mechanism != GoRuntime && r.Holds > 0 && r.Holds <= r.Want
}

// String is a sentence for an operator, as in "memory_limit 512 MiB: cgroup v2, /sys/fs/cgroup/jkframe-x".
func (r Result) String() string {
	var b strings.Builder
	b.WriteString(r.Limit)
	if r.Device != "" {
		b.WriteString(" of " + r.Device)
	}
	b.WriteString(" " + r.unit(r.Want) + ": ")
	if r.Mechanism == None {
		b.WriteString("not held")
	} else {
		b.WriteString(string(r.Mechanism))
	}
	if r.Holds != 0 && r.Holds != r.Want {
		b.WriteString(" at " + r.unit(r.Holds))
	}
	if r.Where != "" {
		b.WriteString(", " + r.Where)
	}
	if r.Note != "" {
		b.WriteString(" (" + r.Note + ")")
	}
	return b.String()
}

// LogValue makes a group of r for [log/slog].
func (r Result) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("limit", r.Limit)}
	if r.Device != "" {
		attrs = append(attrs, slog.String("device", r.Device))
	}
	attrs = append(attrs, slog.Uint64("want", r.Want), slog.Uint64("holds", r.Holds), slog.String("mechanism", string(r.Mechanism)))
	if r.Where != "" {
		attrs = append(attrs, slog.String("where", r.Where))
	}
	if r.Note != "" {
		attrs = append(attrs, slog.String("note", r.Note))
	}
	return slog.GroupValue(attrs...)
}

// unit writes v in the unit of r's limit.
func (r Result) unit(v uint64) string {
	switch r.Limit {
	case CPUQuota:
		return strconv.FormatUint(v, 10) + "% of a core"
	case Memory:
		return size(v)
	case ReadBytes, WriteBytes:
		return size(v) + "/s"
	case ReadIOPS, WriteIOPS:
		return strconv.FormatUint(v, 10) + "/s"
	default:
		return strconv.FormatUint(v, 10)
	}
}

// size writes a number of bytes with the unit that keeps it short and exact to a tenth.
func size(v uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	i, f := 0, float64(v)
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	if i == 0 || f == float64(uint64(f)) {
		return fmt.Sprintf("%.0f %s", f, units[i])
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

// join puts notes together that are not empty.
func join(notes ...string) string {
	var set []string
	for _, n := range notes {
		if n != "" {
			set = append(set, n)
		}
	}
	return strings.Join(set, "; ")
}
