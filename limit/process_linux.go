package limit

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// process is what /proc/<pid>/stat says, as described in proc_pid_stat(5).
type process struct {
	pid     int
	zombie  bool
	parent  int
	group   int
	session int
	cpu     time.Duration // used by itself and by those of its children that it has waited for
	start   uint64        // in ticks since boot: with pid, it names a process for good
}

// tick is the unit of times in /proc: all of Linux's architectures that Go runs on have 100 in a second.
const tick = time.Second / 100

func readProcess(pid int) (process, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, err
	}
	p, err := parseProcess(string(b))
	if err != nil {
		return process{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
	}
	return p, nil
}

// parseProcess reads the line "pid (name) state parent group session …". The name may hold anything, blanks and brackets
// included.
func parseProcess(line string) (process, error) {
	head, rest, ok := strings.Cut(line, " (")
	end := strings.LastIndexByte(rest, ')')
	if !ok || end < 0 {
		return process{}, fmt.Errorf("no name in brackets in %q", line)
	}
	fields := strings.Fields(rest[end+1:])
	const first, last = 3, 22 // the numbers of the fields in the manual page
	if len(fields) <= last-first {
		return process{}, fmt.Errorf("%d fields after the name in %q", len(fields), line)
	}
	var bad error
	number := func(s string) uint64 {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			bad = err
		}
		return n
	}
	signed := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			bad = err
		}
		return n
	}
	state := fields[0]
	p := process{
		pid:     signed(head),
		zombie:  state == "Z" || state == "X",
		parent:  signed(fields[4-first]),
		group:   signed(fields[5-first]),
		session: signed(fields[6-first]),
		start:   number(fields[last-first]),
	}
	var ticks uint64
	for _, f := range fields[14-first : 18-first] { // utime, stime, cutime, cstime
		ticks += number(f)
	}
	p.cpu = time.Duration(ticks) * tick
	return p, bad
}
