//go:build !linux

package conn_test

import "time"

// These are measured on Linux only.

func processMemory() int64         { return 0 }
func processorTime() time.Duration { return 0 }
