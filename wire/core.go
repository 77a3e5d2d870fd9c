package wire

import (
	"net"
	"time"
)

// The messages that every agent and every server speaks.
var (
	Come      = Define[ComePayload](1, "come", "come")
	Handshake = Define[HandshakePayload](2, "handshake", "handshake")
	AgentInfo = Define[AgentInfoPayload](7, "agent info", "ai", Newest)
)

// Foo is the request of the example agent.
var Foo = Call[Empty, Empty]{
	Request: Define[Empty](8, "foo", "", Query),
	Reply:   Define[Empty](9, "bar", ""),
}

// ComePayload is what an agent says of itself and its host first. Its strings become labels and columns, so they are
// bounded.
type ComePayload struct {
	ID              string `json:"id" wire:"max=255"`   // "" asks the server for one; see CheckID
	Name            string `json:"name" wire:"max=255"` // the type of the agent, such as exec-agent
	Version         string `json:"version" wire:"max=255"`
	IP              net.IP `json:"ip"`
	MAC             string `json:"mac" wire:"max=255"`
	HostName        string `json:"host_name" wire:"max=255"`
	OS              string `json:"os" wire:"max=255"`               // linux, windows
	Platform        string `json:"platform" wire:"max=255"`         // debian, centos
	PlatformVersion string `json:"platform_version" wire:"max=255"` // 7.7.1908
	KernelVersion   string `json:"kernel_version" wire:"max=255"`
	Arch            string `json:"arch" wire:"max=255"` // as the kernel says it: x86_64
	CPU             string `json:"cpu" wire:"max=255"`  // model name
	CPUCore         uint64 `json:"cpu_core"`
	Memory          uint64 `json:"memory"` // bytes

	// Features lists what the agent speaks beyond the protocol of the field: FeatureExec, FeatureFiles.
	Features []string `json:"features,omitempty"`

	// Ack is AckVersion of an agent that keeps what it sends until the server has said that it is in its journal.
	Ack int `json:"ack,omitempty"`

	// Crash is how the run before this one ended, if that was a crash that no server has been told of.
	Crash *Crash `json:"crash,omitempty"`
}

// Crash is how a run of an agent ended that was not stopped.
type Crash struct {
	At   time.Time `json:"at"`
	Text string    `json:"text" wire:"max=16384"` // the error and the stacks, the beginning of them
}

// Features that an agent announces in come. A request to one that did not has none of the members that the feature names.
const (
	// FeatureExec: the members Detail, PTY, Rows, Cols and Stdin of ExecPayload.
	FeatureExec = "exec"
	// FeatureFiles: Detail of LsRequest, SHA256, Grows and Detail of UploadRequest; URI, Token, Offset and Detail of DownloadPayload.
	FeatureFiles = "files"
)

// Why a request was not done, for programs; the text beside it is for people. It is sent only to who asked with Detail.
const (
	WhyPolicy        = "policy"         // the host's policy refuses it
	WhyBusy          = "busy"           // too much of it runs or waits
	WhyNotFound      = "not_found"      // no such command, file or folder
	WhyNotExecutable = "not_executable" // the command's file is no program, or must not be run
	WhyNoFolder      = "no_folder"      // no such working directory
	WhyNoUser        = "no_user"        // no such user or group
	WhyDenied        = "denied"         // the password is wrong, or the system refuses it
	WhyNotFile       = "not_file"       // a device, a pipe, a folder where a file is due
	WhyChecksum      = "checksum"       // what came is not what was announced
	WhyChanged       = "changed"        // the file changed while it was read
	WhyNoSpace       = "no_space"       // the disk is full, or the file larger than the policy allows
	WhyTimeout       = "timeout"        // of the command's end
	WhyKilled        = "killed"         // of the command's end: by a kill of the server
	WhyStopped       = "stopped"        // of the command's end: the agent stopped, or has been restarted
	WhyFailed        = "failed"         // anything else
)

// HandshakePayload is the server's answer to come.
type HandshakePayload struct {
	OK       bool     `json:"ok"`
	ID       string   `json:"id" wire:"max=255"`  // the agent's id from now on
	Msg      string   `json:"msg"`                // why not, when not OK
	Redirect []string `json:"redirect,omitempty"` // addresses of servers to go to instead

	// Ack is AckVersion of a server that has a journal. It says so only to agents that have.
	Ack int `json:"ack,omitempty"`
}

// AgentInfoPayload is the monitor report of an agent's process.
type AgentInfoPayload struct {
	Version       string      `json:"v"`
	GoVersion     string      `json:"gv"`
	CPUUsage      float32     `json:"cu"` // percent of one core
	MemoryUsage   float32     `json:"mu"` // percent of the host's memory
	Threads       int         `json:"ts"`
	Routines      int         `json:"rs"`
	Startup       int64       `json:"st"` // Unix seconds
	HeapInUse     uint64      `json:"hi"` // bytes
	GC            GCQuantiles `json:"gc"`
	InPackets     uint64      `json:"ip"`
	InBytes       uint64      `json:"ib"`
	OutPackets    uint64      `json:"op"`
	OutBytes      uint64      `json:"ob"`
	Reconnects    int         `json:"rcc"`
	ReadChanSize  int         `json:"rcs"` // received and not handled yet
	WriteChanSize int         `json:"wcs"` // to be sent

	// Limits is what became of each limit that the agent's config asks for.
	Limits []LimitResult `json:"lim,omitempty"`

	// Of a host of legacy plugins; the maps go by the name of the plugin.
	PluginsRun       uint64            `json:"pe,omitempty"`
	PluginsRunning   uint64            `json:"pr,omitempty"`
	PluginUses       map[string]uint64 `json:"puc,omitempty"`
	PluginOutPackets map[string]uint64 `json:"pop,omitempty"`
	PluginOutBytes   map[string]uint64 `json:"pob,omitempty"`
}

// LimitResult is what became of a limit. Its figures are percent of one core, bytes, or bytes or operations a second.
type LimitResult struct {
	Limit     string `json:"limit" wire:"max=255"`            // cpu_quota, memory_limit, disk_limit.read_bytes …
	Device    string `json:"device,omitempty" wire:"max=255"` // of a limit of a disk
	Want      uint64 `json:"want"`                            // what was asked for
	Holds     uint64 `json:"holds"`                           // what is in force; 0: nothing
	Mechanism string `json:"mechanism" wire:"max=255"`        // what holds it: cgroup v2, job object …, none
	Note      string `json:"note,omitempty" wire:"max=1024"`  // why nothing does
}

// GCQuantiles are quantiles of the pauses of the garbage collector, in seconds.
type GCQuantiles struct {
	Q0   float64 `json:"0"`
	Q25  float64 `json:"25"`
	Q50  float64 `json:"50"`
	Q75  float64 `json:"75"`
	Q100 float64 `json:"100"`
}
