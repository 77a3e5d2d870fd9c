package server_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// Whatever is in a file of the journal, a record of it is one that would be written so, or none.
func FuzzJournalRecord(f *testing.F) {
	f.Add([]byte{})
	for _, b := range server.SomeRecords() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		again, ok := server.RewriteRecord(data)
		if !ok {
			return
		}
		third, ok := server.RewriteRecord(again)
		if !ok || string(third) != string(again) {
			t.Errorf("%x became %x and then %x", data, again, third)
		}
	})
}
