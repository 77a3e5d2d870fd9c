package server_test

import (
	"math"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// A small heap is not collected all the time, and a large one grows no more than it would anyway.
func TestCollectAt(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 800}, {4 * mib, 800}, {4*mib + 1, 400}, {8 * mib, 400}, {16 * mib, 200}, {16*mib + 1, 100}, {52 * mib, 100}, {math.MaxUint64, 100},
	} {
		if got := server.CollectAt(c.live); got != c.want {
			t.Errorf("%d bytes live: %d %%, want %d", c.live, got, c.want)
		}
	}
}
