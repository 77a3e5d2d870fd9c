package load

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// ours is the agent-server among the peers.
const ours = "agent-server"

// Table is what was measured: each figure of each server as often as it was taken.
type Table struct {
	values map[string]map[string][]float64 // by figure and server
}

func newTable() *Table { return &Table{make(map[string]map[string][]float64)} }

func (t *Table) add(figure, server string, v float64) {
	if t.values[figure] == nil {
		t.values[figure] = make(map[string][]float64)
	}
	t.values[figure][server] = append(t.values[figure][server], v)
}

// runs returns how often the figures were taken.
func (t *Table) runs() (n int) {
	for _, servers := range t.values {
		n = max(n, len(servers[ours]))
	}
	return n
}

// figure is a line of the table.
type figure struct {
	key, name, unit string
	format          string
	wanted          string
}

// figures are the lines in their order, with what the project holds itself to.
func figures() []figure {
	return []figure{
		{"memory.first", "memory an idle agent, resident", "kB", "%.1f", "≤ 8"},
		{"memory.others", "the same, after all have left and as many others came", "kB", "%.1f", "≤ 8"},
		{"memory.inuse.first", "memory an idle agent, heap and stacks in use", "kB", "%.1f", ""},
		{"memory.inuse.others", "the same, after all have left and as many others came", "kB", "%.1f", ""},
		{"memory.tls.first", "memory an idle agent with TLS 1.3, resident", "kB", "%.1f", "≤ 24"},
		{"memory.tls.others", "the same, after all have left and as many others came", "kB", "%.1f", "≤ 24"},
		{"handshakes", "handshakes", "/s", "%.0f", "≥ 13,000"},
		{"handshakes.tls", "handshakes with TLS 1.3", "/s", "%.0f", "≥ 0.8 of tls"},
		{"requests.1", "GET /api/foo, 1 caller", "/s", "%.0f", "≥ 0.6 of http"},
		{"p50.1", "– half of them within", "ms", "%.3f", ""},
		{"p99.1", "– 99 of 100 within", "ms", "%.3f", ""},
		{"requests.50", "GET /api/foo, 50 callers", "/s", "%.0f", "≥ 0.6 of http"},
		{"p50.50", "– half of them within", "ms", "%.3f", ""},
		{"p99.50", "– 99 of 100 within", "ms", "%.3f", "< 6.9"},
		{"messages", "messages of 200 bytes from one agent", "/s", "%.0f", "≥ 269,616"},
		{"back", "a fleet whose server is killed and back after 1 s: all of it has come within", "s", "%.0f", "≤ 15"},
		{"crowd", "– of it came in the busiest second", "%", "%.0f", "≤ 40"},
	}
}

// Write writes the table as Markdown: medians, and beside ours what each peer did in the same run.
func (t *Table) Write(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| figure | unit | agent-server | wanted | in the same run |\n|---|---|---|---|---|\n")
	for _, f := range figures() {
		servers := t.values[f.key]
		if len(servers[ours]) == 0 {
			continue
		}
		var peers []string
		mine := median(servers[ours])
		for _, name := range slices.Sorted(maps.Keys(servers)) {
			if name != ours {
				v := median(servers[name])
				peers = append(peers, fmt.Sprintf("%s "+f.format+" (ours is %.2f of it)", name, v/f.scale(), mine/v))
			}
		}
		fmt.Fprintf(&b, "| %s | %s | "+f.format+" | %s | %s |\n", f.name, f.unit, mine/f.scale(), f.wanted, strings.Join(peers, ", "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// scale is what a value is divided by to be shown in its unit.
func (f figure) scale() float64 {
	if f.unit == "kB" {
		return 1000
	}
	return 1
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}
