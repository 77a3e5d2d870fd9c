package l2cache_test

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// table collects what the benchmarks measured.
type table struct{ rows []*row }

// row is what a peer took for one record, each time.
type row struct {
	job  job
	what string // put or get
	peer peer
	took []time.Duration
}

var results table

func (t *table) add(j job, p peer, what string, took time.Duration) {
	r := t.find(j, what, func(other peer) bool { return other.name == p.name })
	if r == nil {
		r = &row{job: j, what: what, peer: p}
		t.rows = append(t.rows, r)
	}
	r.took = append(r.took, took)
}

func (t *table) find(j job, what string, is func(peer) bool) *row {
	i := slices.IndexFunc(t.rows, func(r *row) bool { return r.job == j && r.what == what && is(r.peer) })
	if i < 0 {
		return nil
	}
	return t.rows[i]
}

// print writes a line for each peer: the median, and the median of what it is against the limit, which was measured beside it.
func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "records of\tproducers\t\tpeer\tthousand/s\tof the limit\t")
	for _, what := range []string{"put", "get"} {
		for _, r := range t.rows {
			if r.what != what {
				continue
			}
			how := what
			if r.job.sync {
				how += ", sync"
			}
			limit := t.find(r.job, what, func(p peer) bool { return p.limit })
			var ratios []float64
			for i := range min(len(r.took), len(limit.took)) {
				ratios = append(ratios, float64(limit.took[i])/float64(r.took[i]))
			}
			fmt.Fprintf(tw, "%d\t%d\t%s\t%s\t%.4g\t%.2f\t\n", r.job.size, r.job.producers, how, r.peer.name,
				1e6/float64(max(1, median(r.took).Nanoseconds())), median(ratios))
		}
	}
	tw.Flush()
}

func median[T time.Duration | float64](all []T) T {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
