package wire

// Collecting logs for a project. LogCollect has no answer; LogReport comes unasked.
var (
	LogCollect = Define[LogCollectPayload](50, "log collection config", "logging_config")
	LogReport  = Define[LogReportPayload](53, "log collection report", "logging_report", Newest)
)

// LogSwitch starts or stops the collecting of a project's logs.
var LogSwitch = Call[LogSwitchRequest, LogSwitchReply]{
	Request: Define[LogSwitchRequest](51, "log collection switch", "logging_req"),
	Reply:   Define[LogSwitchReply](52, "log collection switch reply", "logging_rep"),
}

// LogSource is where logs come from.
type LogSource int

// Where logs come from.
const (
	LogKubernetes LogSource = iota
	LogDocker
	LogFile
)

// LogCollectPayload says what logs to collect. One of Kubernetes, Docker and File is set, as Source says.
type LogCollectPayload struct {
	Project    int64                `json:"pid"`
	Source     LogSource            `json:"t"`
	Exclude    string               `json:"ext,omitempty"` // a regular expression of lines to leave out
	Batch      int                  `json:"b"`             // lines of one report
	Buffer     int                  `json:"bf"`            // bytes of one report
	Interval   int                  `json:"itv"`           // seconds until a report that is not full is sent
	Report     string               `json:"rp"`            // where to report to
	Kubernetes *LogKubernetesConfig `json:"k8s,omitempty"`
	Docker     *LogDockerConfig     `json:"d,omitempty"`
	File       *LogFileConfig       `json:"f,omitempty"`
}

// LogKubernetesConfig says which pods to collect from.
type LogKubernetesConfig struct {
	Namespace string   `json:"ns"`
	Names     []string `json:"nms"`
	Dir       string   `json:"d"`  // pattern of files; "" for the standard output
	API       string   `json:"a"`  // address of the cluster's API
	Token     string   `json:"tk"` // for that API
}

// LogDockerConfig says which containers to collect from.
type LogDockerConfig struct {
	Name string `json:"cn"`
	Tag  string `json:"ct"`
	Dir  string `json:"d"` // pattern of files; "" for the standard output
}

// LogFileConfig says which files to collect from.
type LogFileConfig struct {
	Dir string `json:"d"` // pattern of files
}

// LogSwitchRequest starts or stops the collecting of a project.
type LogSwitchRequest struct {
	Project int64 `json:"id"`
	Run     bool  `json:"run"`
}

// LogSwitchReply says whether that was done.
type LogSwitchReply struct {
	OK  bool   `json:"ok"`
	Msg string `json:"msg"` // why not, when not OK
}

// LogReportPayload is how the collecting of logs goes.
type LogReportPayload struct {
	KubernetesTasks uint64              `json:"ct_k8s,omitempty"`
	DockerTasks     uint64              `json:"ct_dr,omitempty"`
	FileTasks       uint64              `json:"ct_f,omitempty"`
	Kubernetes      LogKubernetesReport `json:"k8s"`
	Docker          LogCount            `json:"dr"`
	File            LogCount            `json:"f"`
	Reporter        LogReporter         `json:"rp"`
	Agent           LogAgent            `json:"ag"`
}

// LogCosts is how often requests are made and how long they take, as the agent that makes them counts it.
type LogCosts struct {
	QPS  float64 `json:"qps,omitempty"` // requests a second
	Mean float64 `json:"avg,omitempty"`
	P0   int64   `json:"p0,omitempty"`
	P50  int64   `json:"p50,omitempty"`
	P90  int64   `json:"p90,omitempty"`
	P99  int64   `json:"p99,omitempty"`
	P100 int64   `json:"p100,omitempty"`
}

// LogKubernetesReport is what is collected from a cluster, and what asking its API costs.
type LogKubernetesReport struct {
	LogCosts
	Services   int `json:"ct_svr,omitempty"`
	Pods       int `json:"ct_pds,omitempty"`
	Containers int `json:"ct_cts,omitempty"`
}

// LogCount is how many containers or files are collected from.
type LogCount struct {
	Count uint64 `json:"ct,omitempty"`
}

// LogReporter is what was reported, and what that costs.
type LogReporter struct {
	LogCosts
	Count        uint64 `json:"ct,omitempty"` // reports
	Bytes        uint64 `json:"b,omitempty"`
	HTTPErrors   uint64 `json:"he,omitempty"`
	ServerErrors uint64 `json:"se,omitempty"`
}

// LogAgent is the process of the agent, in the terms of AgentInfoPayload.
type LogAgent struct {
	GoVersion  string      `json:"gv"`
	Threads    int         `json:"ts"`
	Routines   int         `json:"rs"`
	Startup    int64       `json:"st"` // Unix seconds
	HeapInUse  uint64      `json:"hi"` // bytes
	GC         GCQuantiles `json:"gc"`
	InPackets  uint64      `json:"ip"`
	InBytes    uint64      `json:"ib"`
	OutPackets uint64      `json:"op"`
	OutBytes   uint64      `json:"ob"`
}
