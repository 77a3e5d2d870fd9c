package lint

import (
	"fmt"
	"strings"
)

// context is how many lines around a change are shown.
const context = 3

// change replaces the lines of the old text from oldFrom up to oldTo by those of the new one.
type change struct{ oldFrom, oldTo, newFrom, newTo int }

// diff gives what turns before into after, in the unified format; the empty string when they are the same.
func diff(name, before, after string) string {
	old, changed := linesOf(before), linesOf(after)
	changes := changesOf(old, changed)
	if len(changes) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- a/%s\n+++ b/%s\n", name, name)
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && changes[n].oldFrom-changes[n-1].oldTo <= 2*context {
			n++
		}
		writeHunk(&b, old, changed, changes[:n])
		changes = changes[n:]
	}
	return b.String()
}

// linesOf gives the lines of a text with their ends.
func linesOf(text string) []string {
	lines := strings.SplitAfter(text, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

// changesOf compares texts that are mostly the same: behind a difference it looks for the nearest lines that are.
func changesOf(old, changed []string) []change {
	var all []change
	i, j := 0, 0
	for i < len(old) || j < len(changed) {
		if i < len(old) && j < len(changed) && old[i] == changed[j] {
			i, j = i+1, j+1
			continue
		}
		di, dj := nextSame(old[i:], changed[j:])
		all = append(all, change{i, i + di, j, j + dj})
		i, j = i+di, j+dj
	}
	return all
}

// nextSame gives how many lines of each text to skip, as few as possible, so that two lines after them are the same.
func nextSame(old, changed []string) (di, dj int) {
	same := func(i, j int) bool {
		for n := range 2 {
			atEnd := i+n >= len(old) && j+n >= len(changed)
			if !atEnd && (i+n >= len(old) || j+n >= len(changed) || old[i+n] != changed[j+n]) {
				return false
			}
		}
		return true
	}
	for sum := 1; sum < len(old)+len(changed); sum++ {
		for di := max(0, sum-len(changed)); di <= min(sum, len(old)); di++ {
			if same(di, sum-di) {
				return di, sum - di
			}
		}
	}
	return len(old), len(changed)
}

func writeHunk(b *strings.Builder, old, changed []string, changes []change) {
	first, last := changes[0], changes[len(changes)-1]
	lead := min(context, first.oldFrom)
	tail := min(context, len(old)-last.oldTo)
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n", first.oldFrom-lead+1, last.oldTo-first.oldFrom+lead+tail, first.newFrom-lead+1, last.newTo-first.newFrom+lead+tail)
	at := first.oldFrom - lead
	for _, c := range changes {
		writeLines(b, " ", old[at:c.oldFrom])
		writeLines(b, "-", old[c.oldFrom:c.oldTo])
		writeLines(b, "+", changed[c.newFrom:c.newTo])
		at = c.oldTo
	}
	writeLines(b, " ", old[at:at+tail])
}

func writeLines(b *strings.Builder, sign string, lines []string) {
	for _, line := range lines {
		b.WriteString(sign + line)
		if !strings.HasSuffix(line, "\n") {
			b.WriteString("\n\\ No newline at end of file\n")
		}
	}
}
