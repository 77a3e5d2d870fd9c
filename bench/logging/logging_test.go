package logging_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// One goroutine logs.
func BenchmarkOne(b *testing.B) {
	for _, p := range peers {
		b.Run(p.name, func(b *testing.B) {
			dir := b.TempDir()
			log := p.open(b, dir)
			b.ReportAllocs()
			for b.Loop() {
				log(0)
			}
			b.StopTimer()
			reportFiles(b, dir)
		})
	}
}

// Eight goroutines log at once; the time is that of one line.
func BenchmarkEight(b *testing.B) {
	for _, p := range peers {
		b.Run(p.name, func(b *testing.B) {
			dir := b.TempDir()
			log := p.open(b, dir)
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for next.Add(1) <= int64(b.N) {
						log(0)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			reportFiles(b, dir)
		})
	}
}

// How long a caller waits at the worst, with the rotations of 60 MB in 10 MB files: the longest call of a run, and the longest
// of those in which the file changed.
func BenchmarkLongest(b *testing.B) {
	const lines = 600_000
	for _, p := range peers {
		b.Run(p.name, func(b *testing.B) {
			var longest, rotating []float64
			for b.Loop() {
				dir := b.TempDir()
				log := p.open(b, dir)
				log(0) // some open their file only now
				current := currentFile(dir)
				var worst, worstRotating time.Duration
				for range lines {
					start := time.Now()
					log(0)
					took := time.Since(start)
					worst = max(worst, took)
					if took < 20*time.Microsecond { // no rotation is as short
						continue
					}
					if now := currentFile(dir); !os.SameFile(now, current) {
						current = now
						worstRotating = max(worstRotating, took)
					}
				}
				longest = append(longest, milliseconds(worst))
				rotating = append(rotating, milliseconds(worstRotating))
			}
			reportSpread(b, "", longest)
			reportSpread(b, "rotating-", rotating)
			b.ReportMetric(0, "ns/op")
		})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// currentFile is the file that lines go to, or nil while there is none.
func currentFile(dir string) os.FileInfo {
	st, err := os.Stat(filepath.Join(dir, "bench.log"))
	if err != nil {
		return nil
	}
	return st
}

func reportSpread(b *testing.B, of string, values []float64) {
	slices.Sort(values)
	b.ReportMetric(values[0], of+"best-ms")
	b.ReportMetric(values[len(values)/2], of+"median-ms")
	b.ReportMetric(values[len(values)-1], of+"worst-ms")
}

// reportFiles tells how large the largest file is against what was asked for.
func reportFiles(b *testing.B, dir string) {
	files, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	var largest int64
	for _, f := range files {
		if st, err := f.Info(); err == nil && strings.HasPrefix(f.Name(), "bench") {
			largest = max(largest, st.Size())
		}
	}
	b.ReportMetric(float64(largest)/fileSize, "of-size")
}
