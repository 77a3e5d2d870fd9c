package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/hostmetrics"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// conf is what the agent is configured with.
type conf struct {
	libagent.Config `kv:"basic"`

	Task task `kv:"task"`
}

// task says what is collected, and how often.
type task struct {
	Jobs   []string `kv:"jobs" desc:"what is collected: static, usage, process, conns, temps"`
	Static struct {
		Interval time.Duration `kv:"interval" desc:"time between two reports"`
	} `kv:"static"`
	Usage struct {
		Interval time.Duration `kv:"interval" desc:"time between two reports"`
	} `kv:"usage"`
	Process struct {
		Interval time.Duration `kv:"interval" desc:"time between two reports"`
		QPSLimit int           `kv:"qps_limit" desc:"how many processes are looked at in a second"`
	} `kv:"process"`
	Conns struct {
		Interval time.Duration `kv:"interval" desc:"time between two reports"`
		QPSLimit int           `kv:"qps_limit" desc:"how many connections are looked at in a second"`
		Allow    []string      `kv:"allow" desc:"kinds of connections that are shown: tcp, tcp4, tcp6, udp, udp4, udp6, unix"`
	} `kv:"conns"`
	Temps struct {
		Interval time.Duration `kv:"interval" desc:"time between two reports"`
	} `kv:"temps"`
}

// jobNames are what can be collected, in the order in which it is told: static data, and the sections of dynamic data.
func jobNames() []string {
	return []string{wire.JobStatic, wire.JobUsage, wire.JobProcesses, wire.JobConnections, wire.JobTemperatures}
}

func newConf() *conf {
	t := task{Jobs: jobNames()}
	t.Static.Interval, t.Usage.Interval, t.Temps.Interval = 24*time.Hour, 5*time.Second, time.Minute
	t.Process.Interval, t.Process.QPSLimit = time.Minute, 200
	t.Conns.Interval, t.Conns.QPSLimit, t.Conns.Allow = time.Minute, 500, []string{"tcp", "udp", "unix"}
	return &conf{Task: t}
}

// interval returns the time between two reports of a job, switched on or off.
func (t *task) interval(job string) time.Duration {
	return map[string]time.Duration{
		wire.JobStatic: t.Static.Interval, wire.JobUsage: t.Usage.Interval, wire.JobProcesses: t.Process.Interval,
		wire.JobConnections: t.Conns.Interval, wire.JobTemperatures: t.Temps.Interval,
	}[job]
}

// running returns the time between two reports of a job, 0 for one that is switched off.
func (t *task) running(job string) time.Duration {
	if !slices.Contains(t.Jobs, job) {
		return 0
	}
	return t.interval(job)
}

// allowed returns the types of connections that may be shown of those that are asked for, all of them if none is named.
func (t *task) allowed(asked []string) []string {
	allow := hostmetrics.ConnectionTypes(t.Conns.Allow...)
	if len(asked) == 0 {
		return allow
	}
	return slices.DeleteFunc(hostmetrics.ConnectionTypes(asked...), func(k string) bool { return !slices.Contains(allow, k) })
}

// Validate implements [libagent.Validator].
func (c *conf) Validate() error {
	for _, j := range c.Task.Jobs {
		if !slices.Contains(jobNames(), j) {
			return fmt.Errorf("task.jobs: %q is none of %q", j, jobNames())
		}
	}
	for _, j := range jobNames() {
		if d := c.Task.interval(j); d < time.Second {
			return fmt.Errorf("task.%s.interval: %v is less than 1s", j, d)
		}
	}
	for key, n := range map[string]int{"task.process.qps_limit": c.Task.Process.QPSLimit, "task.conns.qps_limit": c.Task.Conns.QPSLimit} {
		if n < 1 || n > 10000 {
			return fmt.Errorf("%s: %d is not between 1 and 10000", key, n)
		}
	}
	for _, k := range c.Task.Conns.Allow {
		if len(hostmetrics.ConnectionTypes(k)) == 0 {
			return fmt.Errorf("task.conns.allow: %q is no kind of connection", k)
		}
	}
	return nil
}
