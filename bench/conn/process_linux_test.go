package conn_test

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// processMemory returns the resident bytes of the process.
func processMemory() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(string(bytes.Fields(b)[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// processorTime returns how long processors have worked for the process. Unlike the time that went by it says something
// on a machine that others use too.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
