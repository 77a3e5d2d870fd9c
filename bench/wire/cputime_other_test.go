//go:build !unix

package wire_test

import (
	"testing"
	"time"
)

var started = time.Now()

// cpuTime is the clock, where the time that a process has computed is not to be had so easily.
func cpuTime(testing.TB) time.Duration { return time.Since(started) }
