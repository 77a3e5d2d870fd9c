package kvconf

import (
	"iter"
	"strings"
)

// maxSuggest is the longest key, in bytes, for which a similar one is looked for.
const maxSuggest = 80

// nearest gives the name that was probably meant by key, or the empty string. It is the one with the fewest slips of the
// keyboard, at most one in three characters and three in all; the case of letters, "-" for "_" and a section that was left
// out or put before do not count.
func nearest(key string, names iter.Seq[string]) string {
	if len(key) > maxSuggest {
		return ""
	}
	folded := fold(key)
	best, least := "", min(3, len(folded)/3)+1
	for name := range names {
		other := fold(name)
		if strings.HasSuffix(other, "."+folded) || strings.HasSuffix(folded, "."+other) {
			if least > 0 {
				best, least = name, 0
			}
			continue
		}
		if len(other)-len(folded) >= least || len(folded)-len(other) >= least {
			continue
		}
		if n := slips(folded, other); n < least {
			best, least = name, n
		}
	}
	return best
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// slips counts the bytes that were left out, added, mistaken or swapped with their neighbour between a and b.
func slips(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
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
		before, last, row = last, row, before
	}
	return last[len(b)]
}
