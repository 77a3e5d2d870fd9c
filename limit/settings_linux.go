package limit

import (
	"fmt"
	"strconv"
	"strings"
)

// period is the time in microseconds over which a CPU quota is counted; it is the kernel's own default. A shorter one
// costs more switching, a longer one makes the pauses of a program that is over its quota longer.
const period = 100_000

// unlimited are the values that take the limits off that a dead run may have left, per version.
func (h *home) clear() {
	// Errors do not matter: a file is missing unless its controller is enabled.
	if h.tree.version == 1 {
		_ = write(h.group, "cpu.cfs_quota_us", "-1")
		_ = write(h.group, "memory.memsw.limit_in_bytes", "-1")
		_ = write(h.group, "memory.limit_in_bytes", "-1")
		for _, file := range throttles {
			lines, _ := read(h.group, file)
			for line := range strings.Lines(lines) {
				dev, _, _ := strings.Cut(line, " ")
				_ = write(h.group, file, dev+" 0")
			}
		}
		return
	}
	_ = write(h.group, "cpu.max", "max")
	_ = write(h.group, "memory.max", "max")
	_ = write(h.group, "memory.swap.max", "max")
	lines, _ := read(h.group, "io.max")
	for line := range strings.Lines(lines) {
		dev, _, _ := strings.Cut(line, " ")
		_ = write(h.group, "io.max", dev+" rbps=max wbps=max riops=max wiops=max")
	}
}

// throttles are the files of version 1 for limits of disks.
var throttles = map[string]string{
	ReadBytes:  "blkio.throttle.read_bps_device",
	WriteBytes: "blkio.throttle.write_bps_device",
	ReadIOPS:   "blkio.throttle.read_iops_device",
	WriteIOPS:  "blkio.throttle.write_iops_device",
}

// ioKeys are the keys of io.max of version 2.
var ioKeys = map[string]string{
	ReadBytes:  "rbps",
	WriteBytes: "wbps",
	ReadIOPS:   "riops",
	WriteIOPS:  "wiops",
}

// setCPU limits a group to percent of one core.
func setCPU(version int, dir string, percent uint64) error {
	quota := strconv.FormatUint(percent*(period/100), 10)
	if version == 2 {
		return write(dir, "cpu.max", quota+" "+strconv.Itoa(period))
	}
	if err := write(dir, "cpu.cfs_period_us", strconv.Itoa(period)); err != nil {
		return err
	}
	return write(dir, "cpu.cfs_quota_us", quota)
}

// setMemory limits a group to so many bytes, swap included where the kernel counts it.
func setMemory(version int, dir string, bytes uint64) error {
	value := strconv.FormatUint(bytes, 10)
	if version == 2 {
		if err := write(dir, "memory.max", value); err != nil {
			return err
		}
		if exists(dir, "memory.swap.max") {
			return write(dir, "memory.swap.max", "0")
		}
		return nil
	}
	if err := write(dir, "memory.limit_in_bytes", value); err != nil {
		return err
	}
	if exists(dir, "memory.memsw.limit_in_bytes") {
		return write(dir, "memory.memsw.limit_in_bytes", value)
	}
	return nil
}

// setDisk limits a group's traffic to a device.
func setDisk(version int, dir, limit string, dev Device, value uint64) error {
	if version == 2 {
		return write(dir, "io.max", fmt.Sprintf("%s %s=%d", dev, ioKeys[limit], value))
	}
	return write(dir, throttles[limit], fmt.Sprintf("%s %d", dev, value))
}
