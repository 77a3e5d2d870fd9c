package limit

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// tuning is what the Go runtime was told, and how to take it back.
type tuning struct {
	maxProcs, oldProcs  int   // 0: untouched
	memLimit, oldMemory int64 // 0: untouched
}

// minProcs is what GOMAXPROCS is never set below: with one, a busy goroutine would keep the garbage collector and the
// timers waiting. The Go runtime has the same bound for quotas that it finds by itself.
const minProcs = 2

// tune tells the runtime of the limits in results, and writes into their notes what it told it.
func (t *tuning) tune(results []Result) {
	for i := range results {
		r := &results[i]
		limit := r.Want
		if r.Holds != 0 {
			limit = min(limit, r.Holds)
		}
		var note string
		var held uint64
		switch r.Limit {
		case CPUQuota:
			note, held = t.procs(limit)
		case Memory:
			note, held = t.memory(limit)
		}
		r.Note = join(r.Note, note)
		if r.Mechanism == None && held != 0 {
			r.Mechanism, r.Holds = GoRuntime, held
		}
	}
}

// procs lowers GOMAXPROCS to what a quota can feed. It returns a note, and the percentage of a core that the Go code of
// this process is held to, if it was lowered.
func (t *tuning) procs(quota uint64) (string, uint64) {
	if os.Getenv("GOMAXPROCS") != "" {
		return "", 0 // the operator has decided
	}
	n := int(max(minProcs, (quota+99)/100))
	if n >= runtime.GOMAXPROCS(0) {
		return "", 0
	}
	t.maxProcs, t.oldProcs = n, runtime.GOMAXPROCS(n)
	return fmt.Sprintf("GOMAXPROCS %d", n), uint64(n) * 100
}

// memory lowers the memory that the garbage collector aims at, unless there is more already: it would do nothing but
// collect then.
func (t *tuning) memory(limit uint64) (string, uint64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return "", 0
	}
	goal := int64(min(limit-headroom(limit), math.MaxInt64))
	if goal >= debug.SetMemoryLimit(-1) || uint64(goal) <= managed() {
		return "", 0
	}
	t.memLimit, t.oldMemory = goal, debug.SetMemoryLimit(goal)
	return "GOMEMLIMIT " + size(uint64(goal)), uint64(goal)
}

// managed is the memory that the Go runtime has from the system now, in bytes.
func managed() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}

// headroom is what of a memory limit is left to what the garbage collector does not count: the program's text, the page
// cache and the kernel's memory for its files and sockets, its children. A tenth, but 16 MiB where that is no more than
// a quarter.
func headroom(limit uint64) uint64 {
	return max(limit/10, min(16<<20, limit/4))
}

// restore takes back what was not changed by somebody else since.
func (t *tuning) restore() {
	if t.maxProcs != 0 && runtime.GOMAXPROCS(0) == t.maxProcs {
		// The runtime's own default follows changes of the quota and of the machine; it is left in charge if it comes
		// to the value that was found.
		runtime.SetDefaultGOMAXPROCS()
		if runtime.GOMAXPROCS(0) != t.oldProcs {
			runtime.GOMAXPROCS(t.oldProcs)
		}
	}
	if t.memLimit != 0 && debug.SetMemoryLimit(-1) == t.memLimit {
		debug.SetMemoryLimit(t.oldMemory)
	}
	*t = tuning{}
}
