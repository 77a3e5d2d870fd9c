package conn_test

import (
	"bytes"
	"os"
	"strconv"
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
