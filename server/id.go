package server

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// newAgentID makes an id for an agent that has none: agent-YYYYMMDD-<16 hex>.
func newAgentID(now time.Time) string {
	b := append(make([]byte, 0, 32), "agent-"...)
	b = append(now.AppendFormat(b, "20060102"), '-')
	return string(appendHex(b, rand.Uint64()))
}

// tasks makes the ids of tasks: YYYYMMDD-<number since the start, at least 5 digits>-<16 hex>.
type tasks struct {
	n atomic.Uint64
}

func (t *tasks) next(now time.Time) string {
	b := append(now.AppendFormat(make([]byte, 0, 48), "20060102"), '-')
	n := t.n.Add(1)
	for least := uint64(10_000); n < least && least > 1; least /= 10 {
		b = append(b, '0')
	}
	b = append(strconv.AppendUint(b, n, 10), '-')
	return string(appendHex(b, rand.Uint64()))
}

// appendHex appends the 16 hexadecimal digits of n.
func appendHex(b []byte, n uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, "0123456789abcdef"[n>>shift&15])
	}
	return b
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
