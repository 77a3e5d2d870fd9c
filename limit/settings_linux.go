package limit

import (
	"fmt"
	"strconv"
	"strings"
)

// period is the time in microseconds over which a CPU quota is counted; it is the kernel's own default. A shorter one
// costs more switching, a longer one makes the pauses of a program that is over its quota longer.
const period = 100_000

// controllerOf is the controller of a limit, by its name in version 2.
func controllerOf(limit string) string {
	switch limit {
	case CPUQuota:
		return "cpu"
	case Memory:
		return "memory"
	case Processes:
		return "pids"
	default:
		return "io"
	}
}

// put writes a limit to a group. dev is the device of a disk limit.
func put(version int, dir string, limit string, value uint64, dev Device) error {
	switch limit {
	case CPUQuota:
		return putCPU(version, dir, value)
	case Memory:
		return putMemory(version, dir, value)
	case Processes:
		return write(dir, "pids.max", strconv.FormatUint(value, 10))
	}
	file, key := throttle(limit)
	if version == 2 {
		return write(dir, "io.max", fmt.Sprintf("%s %s=%d", dev, key, value))
	}
	return write(dir, file, fmt.Sprintf("%s %d", dev, value))
}

func putCPU(version int, dir string, percent uint64) error {
	quota := strconv.FormatUint(percent*(period/100), 10)
	if version == 2 {
		return write(dir, "cpu.max", quota+" "+strconv.Itoa(period))
	}
	if err := write(dir, "cpu.cfs_period_us", strconv.Itoa(period)); err != nil {
		return err
	}
	return write(dir, "cpu.cfs_quota_us", quota)
}

// putMemory limits memory, and where the kernel counts swap, what can be had by swapping: without, a program over its
// limit would grow on, slowly, and the host's swap would fill.
func putMemory(version int, dir string, bytes uint64) error {
	limit, swap, value := "memory.max", "memory.swap.max", "0"
	if version == 1 {
		limit, swap, value = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", strconv.FormatUint(bytes, 10)
	}
	if err := write(dir, limit, strconv.FormatUint(bytes, 10)); err != nil {
		return err
	}
	if !exists(dir, swap) {
		return nil
	}
	return write(dir, swap, value)
}

// throttle gives the file of version 1 and the key in io.max of version 2 for a disk limit.
func throttle(limit string) (file, key string) {
	switch limit {
	case ReadBytes:
		return "blkio.throttle.read_bps_device", "rbps"
	case WriteBytes:
		return "blkio.throttle.write_bps_device", "wbps"
	case ReadIOPS:
		return "blkio.throttle.read_iops_device", "riops"
	default:
		return "blkio.throttle.write_iops_device", "wiops"
	}
}

// unlimit takes the limits off a group that somebody who is dead has left. What fails is not there: a file exists only
// where its controller is enabled.
func unlimit(version int, dir string) {
	if version == 2 {
		for _, file := range []string{"cpu.max", "memory.max", "memory.swap.max", "pids.max"} {
			_ = write(dir, file, "max")
		}
		for _, dev := range devices(dir, "io.max") {
			_ = write(dir, "io.max", dev+" rbps=max wbps=max riops=max wiops=max")
		}
		return
	}
	// memsw first: it is never below the other.
	for _, file := range []string{"cpu.cfs_quota_us", "memory.memsw.limit_in_bytes", "memory.limit_in_bytes"} {
		_ = write(dir, file, "-1")
	}
	_ = write(dir, "pids.max", "max")
	for _, limit := range []string{ReadBytes, WriteBytes, ReadIOPS, WriteIOPS} {
		file, _ := throttle(limit)
		for _, dev := range devices(dir, file) {
			_ = write(dir, file, dev+" 0")
		}
	}
}

// devices lists the devices that a file has lines for.
func devices(dir, file string) []string {
	content, err := read(dir, file)
	if err != nil {
		return nil
	}
	var list []string
	for line := range strings.Lines(content) {
		if dev, _, ok := strings.Cut(line, " "); ok {
			list = append(list, dev)
		}
	}
	return list
}
