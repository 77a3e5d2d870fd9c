package wire_test

import (
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/wire"
)

func TestCheckID(t *testing.T) {
	for _, id := range []string{"a", "agent-20261120-6f51bedf71994cff", "192.0.2.10", "fe80::1%eth0", "主机-7", "a.b.c", "x@y", strings.Repeat("a", 255)} {
		if err := wire.CheckID(id); err != nil {
			t.Errorf("CheckID(%q) = %v: an agent of the field would be turned away", id, err)
		}
	}
	for _, id := range []string{"", ".", "..", "a..b", "../x", "a/b", `a\b`, "a b", " a", "a\t", "a\n", "a\x00", "a\x1b[31m", "a\u202eb", "a\u200bb", "a\u00a0b", "\xff", strings.Repeat("a", 256)} {
		if wire.CheckID(id) == nil {
			t.Errorf("CheckID(%q) = nil: it would end up in paths, addresses and logs", id)
		}
	}
}
