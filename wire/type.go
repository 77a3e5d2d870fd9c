package wire

import "strconv"

// Type is the number of a message on the wire, from 0 to 2147483647.
type Type int

// ErrorType is the number of the frame that says that something failed: it has errmsg and no payload. AppendError
// writes one, [Frame.Error] is its text.
const ErrorType Type = 0

// FirstExtension and FirstCustom divide the numbers: below FirstExtension is the protocol of the field, from
// FirstExtension on what two ends of this framework negotiate in come and handshake, and from FirstCustom on what
// belongs to the authors of agents.
const (
	FirstExtension Type = 20000
	FirstCustom    Type = 30000
)

// unknownType stands in an [Error] for the type of a frame that broke before its type was read.
const unknownType Type = -1

// Name returns the name of a message that this package declares, such as "exec data", and "" for every other number.
// The set of names is small and fixed, so they can be the label of a metric whatever a peer sends.
func (t Type) Name() string { return protocol[t] }

// String returns the number, and before it the name if this package declares one: "exec data (12)", "30000".
func (t Type) String() string {
	n := strconv.Itoa(int(t))
	if name := t.Name(); name != "" {
		return name + " (" + n + ")"
	}
	return n
}

// protocol holds the names of the messages that this package declares.
var protocol = names(
	Come, Handshake, AgentInfo, Foo.Request, Foo.Reply,
	Exec, Execd, ExecData, ExecDone, ExecKill,
	Ls.Request, Ls.Reply, Upload.Request, Upload.Reply, Download, DownloadInfo, DownloadData, DownloadError, DownloadSum,
	HostStatic.Request, HostStatic.Reply, HostDynamic.Request, HostDynamic.Reply,
	CollectStatus.Request, CollectStatus.Reply, ChangeCollect, MetricsStatus,
	Install, InstallReply,
	LogCollect, LogSwitch.Request, LogSwitch.Reply, LogReport,
	OutOpen, OutOpened, OutAck, OutGap, OutLost,
	LogList.Request, LogList.Reply, LogDownload, LogDownloadInfo, LogDownloadData,
)

func names(messages ...interface {
	Type() Type
	Name() string
}) map[Type]string {
	m := map[Type]string{ErrorType: "error"}
	for _, d := range messages {
		m[d.Type()] = d.Name()
	}
	return m
}
