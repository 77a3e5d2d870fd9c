package kvconf

import "strings"

// unknownKey gives the message for a key without a place, and the one of the names that was probably meant.
func unknownKey(key string, names []string) (msg, suggest string) {
	if suggest = nearest(key, names); suggest != "" {
		return "unknown key; did you mean " + suggest + "?", suggest
	}
	return "unknown key", ""
}

// maxSuggest is the longest key, in bytes, for which a similar one is looked for.
const maxSuggest = 80

// nearest gives the name that was probably meant by key, or the empty string: the one with the fewest slips of the keyboard,
// at most one in three characters and three in all, without the sections in front that are the same. The case of letters, "-"
// for "_", and a section that was left out or put before do not count.
func nearest(key string, names []string) string {
	if len(key) > maxSuggest {
		return ""
	}
	key = fold(key)
	best, least := "", maxSlips+1
	for _, name := range names {
		if n := distance(key, fold(name)); n < least {
			best, least = name, n
		}
	}
	return best
}

// maxSlips is how many slips a suggestion may be away.
const maxSlips = 3

// distance gives the slips between two folded keys, or more than maxSlips when the one is not meant by the other.
func distance(key, name string) int {
	if strings.HasSuffix(name, "."+key) || strings.HasSuffix(key, "."+name) {
		return 0
	}
	start := 0
	for i := 0; i < len(key) && i < len(name) && key[i] == name[i]; i++ {
		if key[i] == '.' {
			start = i + 1
		}
	}
	key, name = key[start:], name[start:]
	allowed := min(maxSlips, max(1, len(key)/3), len(key)-1)
	if len(key)-len(name) > allowed || len(name)-len(key) > allowed {
		return maxSlips + 1
	}
	if n := slips(key, name); n <= allowed {
		return n
	}
	return maxSlips + 1
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
