package server

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// newAgentID makes an id for an agent that has none: agent-YYYYMMDD-<16 hex>.
func newAgentID(now time.Time) string {
	return fmt.Sprintf("agent-%s-%016x", now.Format("20060102"), rand.Uint64())
}

// tasks makes the ids of tasks: YYYYMMDD-<number since the start>-<16 hex>.
type tasks struct {
	n atomic.Uint64
}

func (t *tasks) next(now time.Time) string {
	return fmt.Sprintf("%s-%05d-%016x", now.Format("20060102"), t.n.Add(1), rand.Uint64())
}

// clip returns a copy of s, or of the beginning of it that has at most n bytes and ends with a whole character.
func clip(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.Clone(s)
}
