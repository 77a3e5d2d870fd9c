package logging_test

import (
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/logging"
)

// bare tells whether s can be a value and a message without quotes, and checks that it is appended then, and only then.
func bare(t *testing.T, s string) (value, message bool) {
	t.Helper()
	check := func(appended []byte, bare bool) bool {
		want := "before"
		if bare {
			want += s
		}
		if string(appended) != want {
			t.Fatalf("%q: bare: %v, appended: %q", s, bare, appended)
		}
		return bare
	}
	return check(logging.AppendBareValue([]byte("before"), s)), check(logging.AppendBareMessage([]byte("before"), s))
}

// Every byte decides the same alone and among others, at each place: eight are looked at together.
func TestEveryByteAtEveryPlace(t *testing.T) {
	for c := range 256 {
		b := byte(c)
		printable := b > ' ' && b < 0x7f
		wantValue := printable && b != '"' && b != '='
		wantVerbatim := (printable || b == ' ') && b != '"' && b != '\\'
		for length := 1; length < 20; length++ {
			for at := range length {
				s := strings.Repeat("x", at) + string([]byte{b}) + strings.Repeat("y", length-at-1)
				value, message := bare(t, s)
				n := logging.Verbatim(s)
				wantMessage := wantValue || b == ' ' && at > 0 && at < length-1
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
				value, message := bare(t, s)
				if n := logging.Verbatim(s); value != c.bare || message != c.bare || (n == len(s)) != c.bare || !c.bare && n != before {
					t.Fatalf("%q: a value: %v, a message: %v, verbatim: %d", s, value, message, n)
				}
			}
		}
	}
}
