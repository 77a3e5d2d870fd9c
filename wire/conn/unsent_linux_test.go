package conn_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// What the kernel has taken, no control frame can overtake any more, so that it must not take megabytes for a peer that
// reads slowly. (Without a limit it takes four here.)
func TestKernelTakesLittle(t *testing.T) {
	s, p := rawPair(t, conn.Options{WriteTimeout: 200 * time.Millisecond}, "")
	if err := p.Conn.(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	piece := frame(32 << 10)
	var err error
	for err == nil {
		err = s.Send(t.Context(), conn.Bulk, piece)
	}
	if !errors.Is(err, conn.ErrStalled) {
		t.Fatalf("send: %v", err)
	}
	var taken bytes.Buffer
	if _, err := io.Copy(&taken, p.br); err != nil {
		t.Fatal(err)
	}
	if taken.Len() > 1<<20 {
		t.Errorf("the kernel took %d bytes for a peer that reads nothing, want at most 1 MiB", taken.Len())
	}
}
