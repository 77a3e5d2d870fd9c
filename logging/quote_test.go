package logging_test

import (
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/logging"
)

// Every byte decides the same alone and among others, at each place: eight are looked at together.
func TestEveryByteAtEveryPlace(t *testing.T) {
	for c := range 256 {
		b := byte(c)
		printable := b > ' ' && b < 0x7f
		wantValue := printable && b != '"' && b != '='
		wantMessage := wantValue || b == ' '
		wantVerbatim := (printable || b == ' ') && b != '"' && b != '\\'
		for length := 3; length < 20; length++ {
			for at := 1; at < length-1; at++ { // a message neither begins nor ends with a blank
				s := strings.Repeat("x", at) + string([]byte{b}) + strings.Repeat("y", length-at-1)
				value, message := logging.Bare(s)
				n := logging.Verbatim(s)
				if value != wantValue || message != wantMessage || (n == length) != wantVerbatim || n != length && n != at {
					t.Fatalf("%q: a value: %v, a message: %v, verbatim: %d", s, value, message, n)
				}
			}
		}
	}
}

// A character beyond ASCII is whole at each place.
func TestBeyondASCIIAtEveryPlace(t *testing.T) {
	for _, c := range []struct {
		s    string
		bare bool
	}{{"日", true}, {"é", true}, {"👩", true}, {"\u202e", false}, {"\xe6\x97", false}, {"\u2028", false}} {
		for before := range 20 {
			for after := range 20 {
				s := strings.Repeat("x", before) + c.s + strings.Repeat("y", after)
				value, message := logging.Bare(s)
				if n := logging.Verbatim(s); value != c.bare || message != c.bare || (n == len(s)) != c.bare || !c.bare && n != before {
					t.Fatalf("%q: a value: %v, a message: %v, verbatim: %d", s, value, message, n)
				}
			}
		}
	}
}
