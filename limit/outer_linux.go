package limit

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"
)

// outer is a limit that a group above the process's home sets.
type outer struct {
	value uint64 // 0: none
	dir   string
}

// tightest finds the tightest limit of a kind from a group up to the root of the tree. Of limits of disks it knows none.
func tightest(tree *hierarchy, dir, limit string) outer {
	var t outer
	for _, d := range tree.path(dir) {
		var v uint64
		switch limit {
		case CPUQuota:
			v = outerCPU(tree.version, d)
		case Memory:
			v = outerMemory(tree.version, d)
		case Processes:
			v = field(d, "pids.max", "") // "max" is no number
		}
		if v != 0 && (t.value == 0 || v <= t.value) {
			t = outer{v, d}
		}
	}
	return t
}

// unitOf is the unit of systemd whose group a directory is, "" if it is none.
func unitOf(dir string) string {
	name := filepath.Base(dir)
	for _, suffix := range []string{".service", ".scope", ".slice"} {
		if strings.HasSuffix(name, suffix) {
			return name
		}
	}
	return ""
}

// outerCPU reads the quota of a group in percent of a core, rounded up; 0 is none.
func outerCPU(version int, dir string) uint64 {
	var quota, per string
	if version == 2 {
		s, _ := read(dir, "cpu.max")
		quota, per, _ = strings.Cut(s, " ")
	} else {
		quota, _ = read(dir, "cpu.cfs_quota_us")
		per, _ = read(dir, "cpu.cfs_period_us")
	}
	q, errQ := strconv.ParseUint(quota, 10, 64) // "max" and -1 are no numbers
	p, errP := strconv.ParseUint(per, 10, 64)
	if errQ != nil || errP != nil || p == 0 {
		return 0
	}
	return uint64(math.Ceil(float64(q) * 100 / float64(p)))
}

// outerMemory reads the memory limit of a group in bytes; 0 is none.
func outerMemory(version int, dir string) uint64 {
	file := "memory.max"
	if version == 1 {
		file = "memory.limit_in_bytes"
	}
	s, _ := read(dir, file)
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || v >= math.MaxInt64/2 { // version 1 writes the largest page-aligned number for none
		return 0
	}
	return v
}
