package server

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	// tidyPause is how often it is looked whether a crowd has come, and how long there must have been calm.
	tidyPause = 2 * time.Second

	// calm is how many may come in a pause that counts as calm.
	calm = 100
)

// tidyMemory gives memory back to the system after a crowd has come, until ctx ends. To let agents in takes twice of what
// they need afterwards, and the runtime would keep that for later: beside an idle fleet it is the larger part.
func (s *Server) tidyMemory(ctx context.Context) {
	tick := time.NewTicker(tidyPause)
	defer tick.Stop()
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
	}
}
