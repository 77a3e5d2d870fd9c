package form

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
)

// ecmaPattern gives an expression of ECMA-262, with the flag u, that matches the whole of what expr matches as a whole in Go.
// Both read most expressions alike; from the parsed expression all are written so that they are. Go can read what is written
// as well, unless expr looks at the ends of lines.
func ecmaPattern(expr string) (string, error) {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", fmt.Errorf("regular expression %q: %w", expr, err)
	}
	var b strings.Builder
	b.WriteString("^(?:")
	writeECMA(&b, re)
	b.WriteString(")$")
	return b.String(), nil
}

func writeECMA(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpNoMatch:
		b.WriteString(`[^\s\S]`)
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			if re.Flags&syntax.FoldCase != 0 && unicode.SimpleFold(r) != r {
				writeFolded(b, r)
			} else {
				b.WriteString(ecmaRune(r))
			}
		}
	case syntax.OpCharClass:
		writeClass(b, re.Rune)
	case syntax.OpAnyCharNotNL:
		b.WriteString(`[^\n]`)
	case syntax.OpAnyChar:
		b.WriteString(`[\s\S]`)
	case syntax.OpBeginLine:
		b.WriteString(`(?<![^\n])`)
	case syntax.OpEndLine:
		b.WriteString(`(?![^\n])`)
	case syntax.OpBeginText:
		b.WriteString("^")
	case syntax.OpEndText:
		b.WriteString("$")
	case syntax.OpWordBoundary:
		b.WriteString(`\b`)
	case syntax.OpNoWordBoundary:
		b.WriteString(`\B`)
	case syntax.OpCapture:
		writeGroup(b, re.Sub[0])
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		writeRepeat(b, re)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if sub.Op == syntax.OpAlternate {
				writeGroup(b, sub)
			} else {
				writeECMA(b, sub)
			}
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			if i > 0 {
				b.WriteByte('|')
			}
			writeECMA(b, sub)
		}
	}
}

func writeGroup(b *strings.Builder, re *syntax.Regexp) {
	b.WriteString("(?:")
	writeECMA(b, re)
	b.WriteByte(')')
}

func writeRepeat(b *strings.Builder, re *syntax.Regexp) {
	writeGroup(b, re.Sub[0])
	switch {
	case re.Op == syntax.OpStar:
		b.WriteByte('*')
	case re.Op == syntax.OpPlus:
		b.WriteByte('+')
	case re.Op == syntax.OpQuest:
		b.WriteByte('?')
	case re.Max < 0:
		fmt.Fprintf(b, "{%d,}", re.Min)
	case re.Min == re.Max:
		fmt.Fprintf(b, "{%d}", re.Min)
	default:
		fmt.Fprintf(b, "{%d,%d}", re.Min, re.Max)
	}
	if re.Flags&syntax.NonGreedy != 0 {
		b.WriteByte('?')
	}
}

// writeFolded writes a character in each of its cases.
func writeFolded(b *strings.Builder, r rune) {
	b.WriteByte('[')
	b.WriteString(ecmaRune(r))
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		b.WriteString(ecmaRune(other))
	}
	b.WriteByte(']')
}

// writeClass writes pairs of first and last characters.
func writeClass(b *strings.Builder, pairs []rune) {
	if len(pairs) == 0 {
		b.WriteString(`[^\s\S]`)
		return
	}
	b.WriteByte('[')
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString(ecmaRune(pairs[i]))
		if pairs[i] != pairs[i+1] {
			b.WriteString("-" + ecmaRune(pairs[i+1]))
		}
	}
	b.WriteByte(']')
}

// ecmaRune writes a character so that it stands for itself, in a class or not.
func ecmaRune(r rune) string {
	switch {
	case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("_ @%=:;,'\"<>~`#&!", r):
		return string(r)
	case r < unicode.MaxASCII && r > ' ' && r != '-':
		return `\` + string(r)
	}
	if r <= 0xff {
		return fmt.Sprintf(`\x%02x`, r)
	}
	return string(r)
}
