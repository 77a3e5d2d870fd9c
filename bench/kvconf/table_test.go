package kvconf_test

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// table collects what the benchmarks measured.
type table struct{ rows []result }

type result struct {
	job, peer     string
	each          time.Duration
	allocs, bytes uint64
}

var results table

type memory struct{ allocs, bytes uint64 }

func readMemory() memory {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return memory{m.Mallocs, m.TotalAlloc}
}

// add keeps the result of one run; the last and longest of a benchmark counts.
func (t *table) add(job, peer string, took time.Duration, n int, before memory) {
	after := readMemory()
	t.rows = slices.DeleteFunc(t.rows, func(r result) bool { return r.job == job && r.peer == peer })
	t.rows = append(t.rows, result{
		job: job, peer: peer, each: took / time.Duration(n),
		allocs: (after.allocs - before.allocs) / uint64(n), bytes: (after.bytes - before.bytes) / uint64(n),
	})
}

// print writes a line for each peer, with its time against ours.
func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	ours := map[string]time.Duration{}
	for _, r := range t.rows {
		if r.peer == "jkframe/kvconf" {
			ours[r.job] = r.each
		}
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "job\tpeer\ttime\tto ours\tallocs\tbytes\t")
	for _, r := range t.rows {
		ratio := "-"
		if o := ours[r.job]; o > 0 {
			ratio = fmt.Sprintf("%.2f", float64(r.each)/float64(o))
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%d\t%d\t\n", r.job, r.peer, r.each, ratio, r.allocs, r.bytes)
	}
	tw.Flush()
}
