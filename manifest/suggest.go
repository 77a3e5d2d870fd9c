package manifest

import (
	"iter"
	"slices"
	"strings"
)

// nearest gives the name that was probably meant, or the empty string: the one with the fewest slips of the keyboard, at most
// one in three characters. The case of letters and "-" for "_" do not count, nor do sections in front that are the same. Names that
// differ in a long part are not compared, which would take long.
func nearest(name string, names iter.Seq[string]) string {
	const longest = 40 // characters
	best, least := "", len(name)+1
	name = fold(name)
	for other := range names {
		a, b := name, fold(other)
		for {
			x, restA, okA := strings.Cut(a, ".")
			y, restB, okB := strings.Cut(b, ".")
			if !okA || !okB || x != y {
				break
			}
			a, b = restA, restB
		}
		if len(a) > 4*longest || len(b) > 4*longest {
			continue
		}
		x, y := []rune(a), []rune(b)
		allowed := max(1, len(x)/3)
		if max(len(x), len(y)) > longest || abs(len(x)-len(y)) > allowed || min(len(x), len(y)) < 2 && a != b {
			continue
		}
		if n := slips(x, y, min(allowed, least-1)); n <= allowed && n < least {
			best, least = other, n
		}
	}
	return best
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

func abs(n int) int { return max(n, -n) }

// slips counts the characters that were left out, added, mistaken or swapped with their neighbour; it may stop when there are more
// than most.
func slips(a, b []rune, most int) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		if n := slices.Min(row); n > most && slices.Min(last) >= most { // a swap reaches back over one row
			return n
		}
		rows[0], rows[1], rows[2] = last, row, before
	}
	return rows[1][len(b)]
}
