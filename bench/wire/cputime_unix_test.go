//go:build unix

package wire_test

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is what the process has computed so far, the garbage collector included. Unlike the clock, it does not count
// what others do on the machine meanwhile.
func cpuTime(tb testing.TB) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
