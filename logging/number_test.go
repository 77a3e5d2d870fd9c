package logging_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// Numbers of every length come out as everybody writes them.
func TestNumbers(t *testing.T) {
	check := func(v int64) {
		if got, want := string(logging.AppendInt([]byte("x"), v)), "x"+strconv.FormatInt(v, 10); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if got, want := string(logging.AppendDuration([]byte("x"), time.Duration(v))), "x"+time.Duration(v).String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	check(math.MinInt64)
	for v := int64(1); v > 0; v *= 10 {
		for _, near := range []int64{v - 1, v, v + 1, 7 * (v / 10), math.MaxInt64 - v, -v} {
			check(near)
		}
		for range 1000 {
			check(rand.Int64N(v))
		}
	}
	for v := range int64(20_000) {
		check(v)
	}
}
