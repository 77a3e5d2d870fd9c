package wire

import "time"

// HostDynamic asks what a host does. An agent also sends the reply unasked, without a task, with one section at a time.
var HostDynamic = Call[HostDynamicRequest, HostDynamicReply]{
	Request: Define[HostDynamicRequest](32, "host dynamic request", "hm_dynamic_req", Query),
	Reply:   Define[HostDynamicReply](33, "host dynamic", "hm_dynamic_rep"),
}

// HostSection is one section of what a host does.
type HostSection int

// The sections of what a host does.
const (
	SectionUsage HostSection = iota
	SectionProcesses
	SectionConnections
	SectionTemperatures
)

// HostDynamicRequest asks for sections.
type HostDynamicRequest struct {
	Sections    []HostSection `json:"req"`
	Top         int           `json:"top,omitempty"`    // how many processes, those that use the CPU most; 0 for all
	Connections []string      `json:"aconns,omitempty"` // kinds of connections: tcp, tcp4, udp, unix; none for all
}

// HostDynamicReply says what a host does. A section that was not asked for, or has nothing, is empty.
type HostDynamicReply struct {
	Begin        time.Time         `json:"begin"` // of the collection
	End          time.Time         `json:"end"`
	Usage        *HostUsage        `json:"usage,omitempty"`
	Processes    []HostProcess     `json:"process,omitempty"`
	Connections  []HostConnection  `json:"conns,omitempty"`
	Temperatures []HostTemperature `json:"temps,omitempty"`
}

// HostUsage is how much of a host is in use.
type HostUsage struct {
	CPU        CPUUsage         `json:"cpu"`
	Memory     MemoryUsage      `json:"mem"`
	Partitions []PartitionUsage `json:"parts,omitempty"`
	Interfaces []InterfaceUsage `json:"intferface,omitempty"` // misspelled so by the protocol
}

// CPUUsage is how busy the processors are.
type CPUUsage struct {
	Usage  Float2 `json:"usage,omitempty"` // percent of all of them
	Load1  Float2 `json:"load1,omitempty"` // average of the last minute
	Load5  Float2 `json:"load5,omitempty"`
	Load15 Float2 `json:"load15,omitempty"`
}

// MemoryUsage is how full the memory is, in bytes.
type MemoryUsage struct {
	Used      uint64 `json:"used,omitempty"`
	Free      uint64 `json:"free,omitempty"`
	Available uint64 `json:"available,omitempty"`
	Usage     Float2 `json:"usage,omitempty"` // percent
	SwapUsed  uint64 `json:"sused,omitempty"`
	SwapFree  uint64 `json:"sfree,omitempty"`
}

// PartitionUsage is how full and how busy a mounted file system is.
type PartitionUsage struct {
	Name           string `json:"name,omitempty"`  // as in HostPartition
	Used           uint64 `json:"used,omitempty"`  // bytes
	Free           uint64 `json:"free,omitempty"`  // bytes
	Usage          Float2 `json:"usage,omitempty"` // percent
	InodesUsed     uint64 `json:"iused,omitempty"`
	InodesFree     uint64 `json:"ifree,omitempty"`
	InodesUsage    Float2 `json:"iusage,omitempty"` // percent
	ReadPerSecond  Float2 `json:"rps,omitempty"`    // bytes
	WritePerSecond Float2 `json:"wps,omitempty"`    // bytes
	IOInProgress   uint64 `json:"iip,omitempty"`    // operations that wait
}

// InterfaceUsage is what a network interface has moved since it came up.
type InterfaceUsage struct {
	Name        string `json:"name,omitempty"` // as in HostInterface
	BytesSent   uint64 `json:"bsent,omitempty"`
	BytesRecv   uint64 `json:"brecv,omitempty"`
	PacketsSent uint64 `json:"psent,omitempty"`
	PacketsRecv uint64 `json:"precv,omitempty"`
}

// HostProcess is one process.
type HostProcess struct {
	ID          int32    `json:"id,omitempty"`
	Parent      int32    `json:"pid,omitempty"`
	User        string   `json:"user,omitempty"`
	CPU         Float2   `json:"cpu,omitempty"`    // percent of one core
	RSS         uint64   `json:"rss,omitempty"`    // bytes
	VMS         uint64   `json:"vms,omitempty"`    // bytes
	Swap        uint64   `json:"swap,omitempty"`   // bytes
	Memory      Float2   `json:"mem,omitempty"`    // percent
	Cmd         []string `json:"cmd,omitempty"`    // the command and its arguments
	Listen      []uint32 `json:"listen,omitempty"` // ports
	Connections int      `json:"conns,omitempty"`
}

// HostConnection is one connection or socket.
type HostConnection struct {
	FD     uint32 `json:"fd,omitempty"`
	PID    int32  `json:"pid,omitempty"`
	Type   string `json:"type,omitempty"` // tcp4, tcp6, udp4, udp6, unix, file
	Local  string `json:"local,omitempty"`
	Remote string `json:"remote,omitempty"`
	Status string `json:"status,omitempty"` // LISTEN, ESTABLISHED, …
}

// HostTemperature is what one sensor says.
type HostTemperature struct {
	Name        string `json:"name,omitempty"`
	Temperature Float2 `json:"temp,omitempty"` // degrees Celsius
}
