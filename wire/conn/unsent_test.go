package conn_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// A peer that reads nothing is given up over a real network too. And what the kernel has taken by then, no control frame
// could overtake any more, so that it must not be megabytes (without a limit Linux takes four).
func TestStalledSocket(t *testing.T) {
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
	if runtime.GOOS == "linux" && taken.Len() > 1<<20 {
		t.Errorf("the kernel took %d bytes for a peer that reads nothing, want at most 1 MiB", taken.Len())
	}
}
