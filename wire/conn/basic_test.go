package conn_test

import (
	"testing"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

func TestBasic(t *testing.T) {
	s, c := pair(t, conn.Options{}, conn.Options{})
	done := make(chan error, 1)
	go func() {
		mustReceive(t, s)
		done <- receiveEnd(s)
		s.Close(1000, "")
	}()
	if err := c.Send(t.Context(), conn.Bulk, frame(100)); err != nil {
		t.Fatal(err)
	}
	c.Close(1001, "bye")
	t.Log(<-done)
}
