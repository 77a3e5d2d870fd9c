package load

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// The generated part of a page stands between these lines.
const (
	beginGenerated = "<!-- begin: written by make bench -->"
	endGenerated   = "<!-- end: written by make bench -->"
)

// WritePage puts the table into a page, between the lines that say where, with the machine, the date and the command.
func (t *Table) WritePage(file, command string, now time.Time) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok1 := strings.Cut(string(old), beginGenerated)
	_, after, ok2 := strings.Cut(rest, endGenerated)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s: no lines %q and %q", file, beginGenerated, endGenerated)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s\n\n%s, %s, %d cores, %s, by `%s`, medians of %d runs.\n\n", before, beginGenerated,
		now.Format(time.DateOnly), cpuModel(), runtime.NumCPU(), runtime.Version()+" "+kernel(), command, t.runs())
	if err := t.Write(&b); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n%s%s", endGenerated, after)
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// cpuModel names the processor.
func cpuModel() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(b)) {
			if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}

// kernel names the system.
func kernel() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return runtime.GOOS + " " + strings.TrimSpace(string(b))
}
