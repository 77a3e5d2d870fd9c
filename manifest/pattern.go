package manifest

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// maxPatterns bounds the regular expressions of a manifest, in instructions, of which one takes some forty bytes.
const maxPatterns = 200_000

// patternSize gives about how many instructions an expression has, which its repetitions multiply.
func patternSize(re *syntax.Regexp) int {
	size := 1 + len(re.Rune)/2
	for _, sub := range re.Sub {
		size = min(size+patternSize(sub), maxPatterns+1)
	}
	if re.Op == syntax.OpRepeat {
		size = min(size*max(re.Min, re.Max, 1), maxPatterns+1)
	}
	return size
}

// notPortable gives the first part of a regular expression of Go that ECMA-262, which browsers and JSON Schema have, does not
// know or reads otherwise; the empty string when there is none. The expression is one that Go accepts.
func notPortable(expr string) string {
	inClass := false
	for i := 0; i < len(expr); {
		rest := expr[i:]
		switch {
		case rest[0] == '\\':
			what, size := escapeNotPortable(rest)
			if what != "" {
				return what
			}
			i += size
			continue
		case inClass:
			if strings.HasPrefix(rest, "[:") {
				if end := strings.Index(rest, ":]"); end > 0 {
					return rest[:end+2]
				}
			}
			inClass = rest[0] != ']'
		case rest[0] == '[':
			inClass = true
			// A bracket right behind the start is a member in Go and the end in ECMA-262.
			for _, start := range []string{"[^]", "[]"} {
				if strings.HasPrefix(rest, start) {
					return start
				}
			}
		case strings.HasPrefix(rest, "(?"):
			if what := groupNotPortable(rest); what != "" {
				return what
			}
		case len(rest) > 1 && (rest[0] == '^' || rest[0] == '$') && strings.IndexByte("*+?", rest[1]) >= 0:
			return rest[:2] // only Go repeats a place
		}
		i++
	}
	return ""
}

// groupNotPortable looks at the start of a group. (?: and (?<name> are the same everywhere.
func groupNotPortable(rest string) string {
	if strings.HasPrefix(rest, "(?:") || strings.HasPrefix(rest, "(?<") {
		return ""
	}
	if strings.HasPrefix(rest, "(?P<") {
		return "(?P<"
	}
	end := strings.IndexAny(rest, ":)")
	return rest[:end+1]
}

// escapeNotPortable looks at the escape at the start of rest, and gives its size in bytes when it is the same everywhere.
func escapeNotPortable(rest string) (what string, size int) {
	_, n := utf8.DecodeRuneInString(rest[1:])
	size = 1 + n
	switch c := rest[1]; {
	case c == 'A', c == 'z', c == 'Q', c == 'E', c == 'C', c == 'a', c >= '0' && c <= '7':
		return rest[:2], 0
	case c == 'x' && strings.HasPrefix(rest, `\x{`):
		return rest[:strings.IndexByte(rest, '}')+1], 0
	case c == 'x':
		return "", len(`\x00`)
	case c == 'p' || c == 'P':
		end := strings.IndexByte(rest, '}') + 1
		if rest[2] != '{' {
			return rest[:size+utf8.RuneLen(firstRune(rest[size:]))], 0
		}
		// General categories have the same short names; scripts do not.
		if name := rest[3 : end-1]; len(name) > 2 || strings.HasPrefix(name, "^") {
			return rest[:end], 0
		}
		return "", end
	}
	return "", size
}
