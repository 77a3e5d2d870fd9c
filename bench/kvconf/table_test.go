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

// add keeps the result of one run. Of several, asked for by -count, the fastest counts: what else the machine does can only
// make one slower.
func (t *table) add(job, peer string, took time.Duration, n int, before memory) {
	after := readMemory()
	r := result{
		job: job, peer: peer, each: took / time.Duration(n),
		allocs: (after.allocs - before.allocs) / uint64(n), bytes: (after.bytes - before.bytes) / uint64(n),
	}
	i := slices.IndexFunc(t.rows, func(old result) bool { return old.job == job && old.peer == peer })
	switch {
	case i < 0:
		t.rows = append(t.rows, r)
	case r.each < t.rows[i].each:
		t.rows[i] = r
	}
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
