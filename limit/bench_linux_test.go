package limit_test

import (
	"os/exec"
	"testing"

	"github.com/jkstack/jkframe/v2/limit"
)

// BenchmarkApplyNothing is what an agent without limits pays.
func BenchmarkApplyNothing(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		applied, err := limit.Apply(limit.Config{Name: "x"})
		if err != nil {
			b.Fatal(err)
		}
		if err := applied.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApply is an agent with limits that starts and stops.
func BenchmarkApply(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		applied, err := limit.Apply(limit.Config{Name: "limit-bench", CPUQuota: 90, Memory: 1 << 30})
		if err != nil {
			b.Fatal(err)
		}
		if err := applied.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTask is a child from its start to its end, by os/exec alone and in groups.
func BenchmarkTask(b *testing.B) {
	b.Run("exec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := exec.Command("/bin/true").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	inGroup := func(b *testing.B, applied *limit.Applied) {
		b.ReportAllocs()
		for b.Loop() {
			g, err := applied.NewGroup(limit.GroupConfig{})
			if err != nil {
				b.Fatal(err)
			}
			cmd := exec.Command("/bin/true")
			if err := g.Start(cmd); err != nil {
				b.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				b.Fatal(err)
			}
			if err := g.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("control group", func(b *testing.B) {
		applied, err := limit.Apply(limit.Config{Name: "limit-bench"})
		if err != nil {
			b.Fatal(err)
		}
		inGroup(b, applied)
		if err := applied.Close(); err != nil {
			b.Fatal(err)
		}
	})
	b.Run("process tree", func(b *testing.B) { inGroup(b, nil) })
}
