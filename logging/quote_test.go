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
