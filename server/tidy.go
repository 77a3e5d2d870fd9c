package server

import (
	"context"
	"os"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"time"
)

const (
	// tidyPause is how often it is looked whether a crowd has come, and how long there must have been calm.
	tidyPause = 2 * time.Second

	// calm is how many may come in a pause that counts as calm.
	calm = 100

	// garbage is how much of it may gather in a small heap, in bytes: what lives there is looked at so often otherwise
	// that it is an eighth of a handshake. A large heap gathers as much as it holds, as the runtime has it.
	garbage = 32 << 20

	// maxCollect is the largest setting of the collector.
	maxCollect = 800
)

// collectAt is how much garbage may gather beside so many bytes that live, in percent of them: what GOGC says otherwise.
// It has few values, for the world stops for a moment when it changes.
func collectAt(live uint64) int {
	percent := uint64(maxCollect)
	for percent > 100 && live > garbage*100/percent {
		percent /= 2
	}
	return int(percent)
}

// tidyMemory gives memory back to the system after a crowd has come, until ctx ends. To let agents in takes twice of what
// they need afterwards, and the runtime would keep that for later: beside an idle fleet it is the larger part. It also
// says how much garbage may gather, unless the environment does.
func (s *Server) tidyMemory(ctx context.Context) {
	tick := time.NewTicker(tidyPause)
	defer tick.Stop()
	percent := collectAt(liveHeap())
	own := os.Getenv("GOGC") == ""
	if own {
		before := debug.SetGCPercent(percent)
		defer debug.SetGCPercent(before)
	}
	for tidied, before := 0, 0; ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		came := s.conns.total()
		if came-tidied >= crowd && came-before < calm {
			debug.FreeOSMemory()
			tidied = came
		}
		before = came
		if p := collectAt(liveHeap()); own && p != percent {
			debug.SetGCPercent(p)
			percent = p
		}
	}
}

// liveHeap returns how many bytes the last collection has found in use.
func liveHeap() uint64 {
	s := []runtimemetrics.Sample{{Name: "/gc/heap/live:bytes"}}
	runtimemetrics.Read(s)
	if s[0].Value.Kind() != runtimemetrics.KindUint64 {
		return garbage // not known: the runtime's own setting
	}
	return s[0].Value.Uint64()
}
