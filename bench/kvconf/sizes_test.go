package kvconf_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dustin/go-humanize"
	"github.com/jkstack/jkframe/v2/kvconf"
)

// What agents of the field write as sizes, with humanize, is read as what it says, and whole numbers mean the same to both.
func TestSizesOfHumanize(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		n := random.Uint64() >> random.IntN(64)
		for _, text := range []string{humanize.Bytes(n), humanize.IBytes(n)} {
			want, err := humanize.ParseBytes(text)
			if err != nil {
				continue // it does not read all that it writes: 18 EB is more than 64 bits
			}
			got, err := kvconf.ParseSize(text)
			if err != nil || !near(got, want) {
				t.Fatalf("%q: %d, %v, want %d", text, got, err, want)
			}
		}
		unit := []string{"", "B", " kB", "K", "ki", " KiB", "M", "mib", "G", "GIB", "t", "P", " EiB"}[random.IntN(13)]
		text := fmt.Sprint(n>>random.IntN(64), unit)
		want, wantErr := humanize.ParseBytes(text)
		if got, err := kvconf.ParseSize(text); got != want || (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %d, %v, want %d, %v", text, got, err, want, wantErr)
		}
		if back, err := humanize.ParseBytes(kvconf.FormatSize(n)); err != nil || back != n {
			t.Fatalf("%d is written as %q, which humanize reads as %d, %v", n, kvconf.FormatSize(n), back, err)
		}
	}
}

// near reports whether a and b differ by no more than the rounding of a float64, with which humanize calculates fractions.
func near(a, b uint64) bool { return max(a, b)-min(a, b) <= max(a, b)>>52+1 }
