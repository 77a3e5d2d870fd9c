package kvconf_test

import (
	"encoding"
	"time"
)

// conf is what an agent's file of 25 settings is decoded into. D is how durations are read: time.Duration where the peer
// knows that type, else textDuration.
type conf[D any] struct {
	Basic basic[D] `kv:"basic" json:"basic" toml:"basic" yaml:"basic" ini:"basic" properties:"basic"`
	Task  task[D]  `kv:"task" json:"task" toml:"task" yaml:"task" ini:"task" properties:"task"`
}

type basic[D any] struct {
	ID        string       `kv:"id" json:"id" toml:"id" yaml:"id" ini:"id" properties:"id"`
	Server    string       `kv:"server" json:"server" toml:"server" yaml:"server" ini:"server" properties:"server"`
	Log       logConf      `kv:"log" json:"log" toml:"log" yaml:"log" ini:"basic.log" properties:"log"`
	Monitor   monitor[D]   `kv:"monitor" json:"monitor" toml:"monitor" yaml:"monitor" ini:"basic.monitor" properties:"monitor"`
	Limit     limit        `kv:"limit" json:"limit" toml:"limit" yaml:"limit" ini:"basic.limit" properties:"limit"`
	Reconnect reconnect[D] `kv:"reconnect" json:"reconnect" toml:"reconnect" yaml:"reconnect" ini:"basic.reconnect" properties:"reconnect"`
	TLS       tlsConf      `kv:"tls" json:"tls" toml:"tls" yaml:"tls" ini:"basic.tls" properties:"tls"`
	Outbox    outbox       `kv:"outbox" json:"outbox" toml:"outbox" yaml:"outbox" ini:"basic.outbox" properties:"outbox"`
}

type logConf struct {
	Target []string `kv:"target" json:"target" toml:"target" yaml:"target" ini:"target" properties:"target"`
	Dir    string   `kv:"dir" json:"dir" toml:"dir" yaml:"dir" ini:"dir" properties:"dir"`
	Size   uint64   `kv:"size,bytes" json:"size" toml:"size" yaml:"size" ini:"size" properties:"size"`
	Rotate int      `kv:"rotate" json:"rotate" toml:"rotate" yaml:"rotate" ini:"rotate" properties:"rotate"`
	Level  string   `kv:"level" json:"level" toml:"level" yaml:"level" ini:"level" properties:"level"`
}

type monitor[D any] struct {
	Enabled  bool `kv:"enabled" json:"enabled" toml:"enabled" yaml:"enabled" ini:"enabled" properties:"enabled"`
	Interval D    `kv:"interval" json:"interval" toml:"interval" yaml:"interval" ini:"interval" properties:"interval"`
}

type limit struct {
	CPUQuota    int    `kv:"cpu_quota" json:"cpu_quota" toml:"cpu_quota" yaml:"cpu_quota" ini:"cpu_quota" properties:"cpu_quota"`
	MemoryLimit uint64 `kv:"memory_limit,bytes" json:"memory_limit" toml:"memory_limit" yaml:"memory_limit" ini:"memory_limit" properties:"memory_limit"`
}

type reconnect[D any] struct {
	Spread D `kv:"spread" json:"spread" toml:"spread" yaml:"spread" ini:"spread" properties:"spread"`
}

type tlsConf struct {
	Enabled bool   `kv:"enabled" json:"enabled" toml:"enabled" yaml:"enabled" ini:"enabled" properties:"enabled"`
	CA      string `kv:"ca" json:"ca" toml:"ca" yaml:"ca" ini:"ca" properties:"ca"`
	Cert    string `kv:"cert" json:"cert" toml:"cert" yaml:"cert" ini:"cert" properties:"cert"`
	Key     string `kv:"key" json:"key" toml:"key" yaml:"key" ini:"key" properties:"key"`
}

type outbox struct {
	Dir  string `kv:"dir" json:"dir" toml:"dir" yaml:"dir" ini:"dir" properties:"dir"`
	Size uint64 `kv:"size,bytes" json:"size" toml:"size" yaml:"size" ini:"size" properties:"size"`
}

type task[D any] struct {
	Jobs    []string   `kv:"jobs" json:"jobs" toml:"jobs" yaml:"jobs" ini:"jobs" properties:"jobs"`
	Static  job[D]     `kv:"static" json:"static" toml:"static" yaml:"static" ini:"task.static" properties:"static"`
	Usage   job[D]     `kv:"usage" json:"usage" toml:"usage" yaml:"usage" ini:"task.usage" properties:"usage"`
	Process process[D] `kv:"process" json:"process" toml:"process" yaml:"process" ini:"task.process" properties:"process"`
	Conns   conns      `kv:"conns" json:"conns" toml:"conns" yaml:"conns" ini:"task.conns" properties:"conns"`
}

type job[D any] struct {
	Interval D `kv:"interval" json:"interval" toml:"interval" yaml:"interval" ini:"interval" properties:"interval"`
}

type process[D any] struct {
	Interval D    `kv:"interval" json:"interval" toml:"interval" yaml:"interval" ini:"interval" properties:"interval"`
	QPSLimit uint `kv:"qps_limit" json:"qps_limit" toml:"qps_limit" yaml:"qps_limit" ini:"qps_limit" properties:"qps_limit"`
}

type conns struct {
	QPSLimit uint     `kv:"qps_limit" json:"qps_limit" toml:"qps_limit" yaml:"qps_limit" ini:"qps_limit" properties:"qps_limit"`
	Allow    []string `kv:"allow" json:"allow" toml:"allow" yaml:"allow" ini:"allow" properties:"allow"`
}

// textDuration is a duration for the peers that leave durations to encoding.TextUnmarshaler.
type textDuration time.Duration

var (
	_ encoding.TextUnmarshaler = (*textDuration)(nil)
	_ encoding.TextMarshaler   = textDuration(0)
)

func (d *textDuration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = textDuration(v)
	return err
}

func (d textDuration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// want is what every peer must make of its text.
func want[D ~int64]() conf[D] {
	second := D(time.Second)
	var c conf[D]
	c.Basic.ID = "agent-20261120-6f51bedf71994cff"
	c.Basic.Server = "192.0.2.10:13081"
	c.Basic.Log = logConf{Target: []string{"stdout", "file"}, Dir: "/opt/example-agent/logs", Size: 10_000_000, Rotate: 7, Level: "info"}
	c.Basic.Monitor.Enabled, c.Basic.Monitor.Interval = true, 30*second
	c.Basic.Limit = limit{CPUQuota: 100, MemoryLimit: 512_000_000}
	c.Basic.Reconnect.Spread = 3 * second
	c.Basic.TLS = tlsConf{Enabled: true, CA: "/etc/agent/ca.pem", Cert: "/etc/agent/cert.pem", Key: "/etc/agent/key.pem"}
	c.Basic.Outbox = outbox{Dir: "/var/lib/agent/outbox", Size: 64_000_000}
	c.Task.Jobs = []string{"static", "usage", "process", "conns"}
	c.Task.Static.Interval, c.Task.Usage.Interval = 10*second, 2*second
	c.Task.Process.Interval, c.Task.Process.QPSLimit = 3*second, 200
	c.Task.Conns.QPSLimit = 500
	c.Task.Conns.Allow = []string{"tcp", "udp", "unix"}
	return c
}
