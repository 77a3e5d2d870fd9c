package l2cache_test

import (
	"bytes"
	"testing"

	"github.com/jkstack/jkframe/v2/l2cache"
)

// What was refused before them gives its sequences to the records that wait, whatever their size: one that kept its old sequence
// would not be found again, nor would those behind it.
func TestRenumber(t *testing.T) {
	small, large := bytes.Repeat([]byte("s"), 100), bytes.Repeat([]byte("l"), 20<<10)
	for _, records := range [][][]byte{
		{small, small, small},
		{large, large, large, large},
		{small, large, small, small, large, small},
		{large, small},
	} {
		text := l2cache.Renumbered(7, 50, 3, records)
		for i, want := range records {
			length, seq, sum, ok := l2cache.ParseHead(text, 7)
			if !ok || length != len(want) || seq != uint32(3+i) {
				t.Fatalf("record %d of %d: %v, %d bytes, sequence %d", i, len(records), ok, length, seq)
			}
			if text = text[16:]; sum != l2cache.Checksum(7, want) || !bytes.HasPrefix(text, want) {
				t.Fatalf("record %d of %d is another one", i, len(records))
			}
			text = text[length:]
		}
		if len(text) > 0 {
			t.Errorf("%d bytes too many", len(text))
		}
	}
}
