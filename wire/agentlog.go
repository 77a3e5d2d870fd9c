package wire

import "time"

// LogList asks for the log files of the agent itself.
var LogList = Call[Empty, LogListReply]{
	Request: Define[Empty](10000, "agent log list", "", Query),
	Reply:   Define[LogListReply](10001, "agent log list reply", "ls_log"),
}

// Reading the log files of the agent itself. LogDownload is answered by LogDownloadInfo and, if that is OK, by
// LogDownloadData until the size is reached: one zip of all the files.
var (
	LogDownload     = Define[LogDownloadPayload](10002, "agent log download", "log_dreq")
	LogDownloadInfo = Define[LogDownloadInfoPayload](10003, "agent log download info", "log_dinfo")
	LogDownloadData = Define[LogDownloadDataPayload](10004, "agent log download data", "log_ddata")
)

// LogListReply names the log files.
type LogListReply struct {
	Files []AgentLog `json:"files"`
}

// AgentLog is one log file.
type AgentLog struct {
	Name    string    `json:"name"`
	Size    uint64    `json:"size"` // bytes
	ModTime time.Time `json:"mod"`
}

// LogDownloadPayload asks for log files by their names.
type LogDownloadPayload struct {
	Files []string `json:"files"`
}

// LogDownloadInfoPayload says what is to come.
type LogDownloadInfoPayload struct {
	OK        bool     `json:"ok"`
	Msg       string   `json:"msg,omitempty"`        // why not, when not OK
	Size      uint64   `json:"size,omitempty"`       // bytes
	BlockSize uint64   `json:"block_size,omitempty"` // bytes of every block but the last
	MD5       [16]byte `json:"md5"`                  // of the zip, zeros when not OK
}

// LogDownloadDataPayload is one block of the zip.
type LogDownloadDataPayload struct {
	Offset uint64 `json:"offset"` // bytes from the start of the zip
	Data   Block  `json:"data"`
}
