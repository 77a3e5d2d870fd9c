package kvconf_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// What one would write by hand for this one struct, this one grammar without quotes and this one job.

func decodeByHand(data []byte) (any, error) {
	var c conf[time.Duration]
	text := string(data)
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, errors.New("no =")
		}
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if i := strings.Index(value, " #"); i >= 0 {
			value = strings.TrimSpace(value[:i])
		}
		if err := setByHand(&c, key, value); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

func setByHand(c *conf[time.Duration], key, value string) (err error) {
	switch key {
	case "basic.id":
		c.Basic.ID = value
	case "basic.server":
		c.Basic.Server = value
	case "basic.log.target":
		c.Basic.Log.Target = strings.Split(value, ",")
	case "basic.log.dir":
		c.Basic.Log.Dir = value
	case "basic.log.size":
		c.Basic.Log.Size, err = kvconf.ParseSize(value)
	case "basic.log.rotate":
		c.Basic.Log.Rotate, err = strconv.Atoi(value)
	case "basic.log.level":
		c.Basic.Log.Level = value
	case "basic.monitor.enabled":
		c.Basic.Monitor.Enabled, err = strconv.ParseBool(value)
	case "basic.monitor.interval":
		c.Basic.Monitor.Interval, err = time.ParseDuration(value)
	case "basic.limit.cpu_quota":
		c.Basic.Limit.CPUQuota, err = strconv.Atoi(value)
	case "basic.limit.memory_limit":
		c.Basic.Limit.MemoryLimit, err = kvconf.ParseSize(value)
	case "basic.reconnect.spread":
		c.Basic.Reconnect.Spread, err = time.ParseDuration(value)
	case "basic.tls.enabled":
		c.Basic.TLS.Enabled, err = strconv.ParseBool(value)
	case "basic.tls.ca":
		c.Basic.TLS.CA = value
	case "basic.tls.cert":
		c.Basic.TLS.Cert = value
	case "basic.tls.key":
		c.Basic.TLS.Key = value
	case "basic.outbox.dir":
		c.Basic.Outbox.Dir = value
	case "basic.outbox.size":
		c.Basic.Outbox.Size, err = kvconf.ParseSize(value)
	case "task.jobs":
		c.Task.Jobs = strings.Split(value, ",")
	case "task.static.interval":
		c.Task.Static.Interval, err = time.ParseDuration(value)
	case "task.usage.interval":
		c.Task.Usage.Interval, err = time.ParseDuration(value)
	case "task.process.interval":
		c.Task.Process.Interval, err = time.ParseDuration(value)
	case "task.process.qps_limit":
		c.Task.Process.QPSLimit, err = uintByHand(value)
	case "task.conns.qps_limit":
		c.Task.Conns.QPSLimit, err = uintByHand(value)
	case "task.conns.allow":
		c.Task.Conns.Allow = strings.Split(value, ",")
	default:
		err = fmt.Errorf("unknown key %q", key)
	}
	return err
}

func uintByHand(s string) (uint, error) {
	n, err := strconv.ParseUint(s, 10, strconv.IntSize)
	return uint(n), err
}

func encodeByHand(c *conf[time.Duration]) func() ([]byte, error) {
	return func() ([]byte, error) {
		b := make([]byte, 0, 1024)
		text := func(key, value string) { b = append(append(append(append(b, key...), " = "...), value...), '\n') }
		number := func(key string, n uint64) {
			b = append(strconv.AppendUint(append(append(b, key...), " = "...), n, 10), '\n')
		}
		text("basic.id", c.Basic.ID)
		text("basic.server", c.Basic.Server)
		text("basic.log.target", strings.Join(c.Basic.Log.Target, ","))
		text("basic.log.dir", c.Basic.Log.Dir)
		number("basic.log.size", c.Basic.Log.Size)
		number("basic.log.rotate", uint64(c.Basic.Log.Rotate))
		text("basic.log.level", c.Basic.Log.Level)
		text("basic.monitor.enabled", strconv.FormatBool(c.Basic.Monitor.Enabled))
		text("basic.monitor.interval", c.Basic.Monitor.Interval.String())
		number("basic.limit.cpu_quota", uint64(c.Basic.Limit.CPUQuota))
		number("basic.limit.memory_limit", c.Basic.Limit.MemoryLimit)
		text("basic.reconnect.spread", c.Basic.Reconnect.Spread.String())
		text("basic.tls.enabled", strconv.FormatBool(c.Basic.TLS.Enabled))
		text("basic.tls.ca", c.Basic.TLS.CA)
		text("basic.tls.cert", c.Basic.TLS.Cert)
		text("basic.tls.key", c.Basic.TLS.Key)
		text("basic.outbox.dir", c.Basic.Outbox.Dir)
		number("basic.outbox.size", c.Basic.Outbox.Size)
		text("task.jobs", strings.Join(c.Task.Jobs, ","))
		text("task.static.interval", c.Task.Static.Interval.String())
		text("task.usage.interval", c.Task.Usage.Interval.String())
		text("task.process.interval", c.Task.Process.Interval.String())
		number("task.process.qps_limit", uint64(c.Task.Process.QPSLimit))
		number("task.conns.qps_limit", uint64(c.Task.Conns.QPSLimit))
		text("task.conns.allow", strings.Join(c.Task.Conns.Allow, ","))
		return b, nil
	}
}

func mapByHand(data []byte) (map[string]string, error) {
	text := string(data)
	m := make(map[string]string, strings.Count(text, "\n"))
	for n := 0; text != ""; n++ {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, errors.New("no =")
		}
		m[strings.TrimSpace(key)] = strings.TrimSpace(value)
		if len(m) != n+1 {
			return nil, errors.New("duplicate key")
		}
	}
	return m, nil
}

func rewriteByHand(data []byte, id string) ([]byte, error) {
	const start = "\nbasic.id = "
	from := bytes.Index(data, []byte(start))
	if from < 0 {
		return nil, errors.New("no id")
	}
	from += len(start)
	to := from + bytes.IndexByte(data[from:], '\n')
	out := make([]byte, 0, len(data)+len(id))
	return append(append(append(out, data[:from]...), id...), data[to:]...), nil
}
