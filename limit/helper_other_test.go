//go:build !linux

package limit_test

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
)

func helpHere(name string, _ []string) int { panic("no helper " + name) }

func placeOf(int) string { return "" }

func surroundings(t *testing.T) string {
	t.Helper()
	return fmt.Sprint(runtime.GOMAXPROCS(0), debug.SetMemoryLimit(-1))
}
