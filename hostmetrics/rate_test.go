package hostmetrics_test

import (
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jkstack/jkframe/v2/hostmetrics"
)

// A counter that starts again makes no rate of a billion a second, and none below zero.
func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		before, now, want uint64
		bits              int
		ok                bool
	}{
		{0, 0, 0, 64, true},
		{5, 7, 2, 32, true},
		{0, math.MaxUint64, math.MaxUint64, 64, true},
		{1<<32 - 10, 20, 30, 32, true},              // 32 bits, and over the end
		{1<<32 - 10, 20, 0, 64, false},              // reset: 64 bits do not end there
		{1 << 31, 20, 0, 32, false},                 // too far from the end
		{1<<32 - 10, 1 << 31, 0, 32, false},         // too far behind it
		{1 << 40, 20, 0, 64, false},                 // reset
		{math.MaxUint64, 0, 0, 64, false},           // nor do they end
		{1000, 999, 0, 32, false},                   // reset
		{3<<30 + 1, 1<<30 - 1, 1<<31 - 2, 32, true}, // 32 bits, at both limits
	} {
		if n, ok := hostmetrics.Growth(c.before, c.now, c.bits); n != c.want || ok != c.ok {
			t.Errorf("from %d to %d of %d bits: %d, %v, want %d, %v", c.before, c.now, c.bits, n, ok, c.want, c.ok)
		}
	}
	if v := hostmetrics.PerSecond(100, 300, 64, 512, 2*time.Second); v == nil || *v != 51200 {
		t.Errorf("rate %v", v)
	}
	for _, span := range []time.Duration{0, -time.Second} {
		if v := hostmetrics.PerSecond(100, 300, 64, 1, span); v != nil {
			t.Errorf("rate over %v: %v", span, *v)
		}
	}
}

// Whoever asks right after somebody else gets a rate of a time that means something, and takes none from him.
func TestWindow(t *testing.T) {
	var w hostmetrics.Window
	begin := time.Now()
	for _, c := range []struct {
		ms        int
		v, before int
	}{
		{0, 1, -1},    // the first
		{100, 2, -1},  // too early
		{500, 3, 1},   // since the first
		{501, 4, 1},   // at once: still since the first
		{5000, 5, 3},  // since the one before
		{5001, 6, 3},  // at once: the same time again
		{10000, 7, 5}, // not since the one that came at once
		{10600, 8, 7}, // half a second is enough
		{20000, 9, 8},
	} {
		if got := w.Add(begin.Add(time.Duration(c.ms)*time.Millisecond), c.v); got != c.before {
			t.Errorf("after %d ms: since look %d, want %d", c.ms, got, c.before)
		}
	}
}

// A name is never longer than it may be, nor anything that JSON cannot hold.
func FuzzClip(f *testing.F) {
	f.Add("", 0)
	f.Add("/data", 3)
	f.Add("a€b", 2)
	f.Add("a\xe2\x82", 255)
	f.Add(strings.Repeat("\xff", 100), 50)
	f.Fuzz(func(t *testing.T, s string, size int) {
		size = max(0, min(size, 1000))
		got := hostmetrics.Clip(s, size)
		if !utf8.ValidString(got) || len(got) > 3*size {
			t.Errorf("%q of %d bytes from %q", got, len(got), s)
		}
		if utf8.ValidString(s) && (len(got) > size || !strings.HasPrefix(s, got)) {
			t.Errorf("%q, clipped to %d: %q", s, size, got)
		}
		if again := hostmetrics.Clip(got, 3*size); again != got {
			t.Errorf("%q becomes %q the second time", got, again)
		}
	})
}

// All arguments of a process together are bounded.
func TestCommand(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, args := range [][]string{{long}, {"a", long, "b"}, strings.Split(strings.Repeat("x ", 1<<19), " "), {}} {
		size := 0
		for _, a := range hostmetrics.Command(args, 4096) {
			size += len(a) + 1
		}
		if size > 4097 {
			t.Errorf("%d bytes left of a command", size)
		}
	}
	if got := hostmetrics.Command([]string{"a", "", "b\n"}, 4096); strings.Join(got, "|") != "a||b\n" {
		t.Errorf("%q", got)
	}
}
