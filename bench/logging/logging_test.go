package logging_test

import (
	"os"
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

// How long a caller waits at the worst, with the rotations of 60 MB in 10 MB files.
func BenchmarkLongest(b *testing.B) {
	const lines = 600_000
	for _, p := range peers {
		b.Run(p.name, func(b *testing.B) {
			var longest []float64
			for b.Loop() {
				log := p.open(b, b.TempDir())
				var worst time.Duration
				for range lines {
					start := time.Now()
					log(0)
					worst = max(worst, time.Since(start))
				}
				longest = append(longest, float64(worst)/float64(time.Millisecond))
			}
			slices.Sort(longest)
			b.ReportMetric(longest[0], "best-ms")
			b.ReportMetric(longest[len(longest)/2], "median-ms")
			b.ReportMetric(longest[len(longest)-1], "worst-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
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
