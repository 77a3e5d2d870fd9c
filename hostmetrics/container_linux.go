package hostmetrics

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"
)

// unlimited is more memory than there is: control groups of version 1 say so for "no limit".
const unlimited = 1 << 60

// container says what encloses this process, "" for nothing. A control group alone is no container: an agent limits itself so.
func (c *Collector) container() string {
	for _, sign := range [...]struct{ file, runtime string }{
		{"run/.containerenv", "podman"},
		{".dockerenv", "docker"},
		{"var/run/secrets/kubernetes.io", "kubernetes"},
	} {
		if _, err := os.Lstat(c.path(sign.file)); err == nil {
			return sign.runtime
		}
	}
	var f files
	if name, err := f.text(c.path("run/systemd/container")); err == nil && name != "" {
		return name
	}
	if env, err := f.read(c.path("proc/1/environ")); err == nil {
		for v := range bytes.SplitSeq(env, []byte{0}) {
			if name, ok := bytes.CutPrefix(v, []byte("container=")); ok && len(name) > 0 {
				return clip(string(name), maxName)
			}
		}
	}
	return ""
}

// readContainer says what encloses this process.
func (c *Collector) readContainer(context.Context) (func(*Static), error) {
	name := c.container()
	if name == "" {
		return nil, errAbsent
	}
	r := &Container{Runtime: name}
	if n, ok := c.memoryLimit(); ok {
		r.Memory = &n
	}
	if n, ok := c.cpuLimit(); ok {
		r.CPUs = &n
	}
	return func(s *Static) { s.Container = r }, nil
}

// group reads a value of the control group that is the container's root: of version 2, or of version 1.
func (c *Collector) group(v2, v1 string) (text []byte, version int, err error) {
	var f files
	if text, err = f.read(c.path("sys/fs/cgroup", v2)); err == nil {
		return text, 2, nil
	}
	text, err = f.read(c.path("sys/fs/cgroup", v1))
	return text, 1, err
}

// memoryLimit returns what a container may use, in bytes.
func (c *Collector) memoryLimit() (uint64, bool) {
	if c.container() == "" {
		return 0, false
	}
	text, _, err := c.group("memory.max", "memory/memory.limit_in_bytes")
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64) // "max" is none
	return n, err == nil && n > 0 && n < unlimited
}

// memoryInContainer returns what a container uses, without the part of its page cache that can go at once.
func (c *Collector) memoryInContainer() (uint64, error) {
	text, _, err := c.group("memory.current", "memory/memory.usage_in_bytes")
	if err != nil {
		return 0, err
	}
	used, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return 0, err
	}
	stat, version, _ := c.group("memory.stat", "memory/memory.stat") // without it, the page cache counts as used
	key := "inactive_file"
	if version == 1 {
		key = "total_inactive_file"
	}
	for name, value := range pairs(stat) {
		if n, err := strconv.ParseUint(value, 10, 64); name == key && err == nil {
			used -= min(n, used)
		}
	}
	return used, nil
}

// cpuLimit returns how many processors a container may use.
func (c *Collector) cpuLimit() (float64, bool) {
	if c.container() == "" {
		return 0, false
	}
	text, version, err := c.group("cpu.max", "cpu/cpu.cfs_quota_us")
	if err != nil {
		return 0, false
	}
	words := strings.Fields(string(text))
	if version == 1 {
		var f files
		period, err := f.text(c.path("sys/fs/cgroup/cpu/cpu.cfs_period_us"))
		if err != nil {
			return 0, false
		}
		words = append(words, period)
	}
	if len(words) != 2 {
		return 0, false
	}
	quota, err := strconv.ParseUint(words[0], 10, 63) // "max" and -1 are none
	period, err2 := strconv.ParseUint(words[1], 10, 63)
	if err != nil || err2 != nil || period == 0 || quota == 0 {
		return 0, false
	}
	return float64(quota) / float64(period), true
}

// cpuInContainer returns the time that a container has had, in seconds.
func (c *Collector) cpuInContainer() (float64, error) {
	text, version, err := c.group("cpu.stat", "cpuacct/cpuacct.usage")
	if err != nil {
		return 0, err
	}
	if version == 1 {
		n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
		return float64(n) / 1e9, err
	}
	for name, value := range pairs(text) {
		if name == "usage_usec" {
			n, err := strconv.ParseUint(value, 10, 64)
			return float64(n) / 1e6, err
		}
	}
	return 0, errAbsent
}
