package conn_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// crowded is a connection on which a frame of the bulk lane is half written, and n small frames of the control lane wait.
func crowded(ctx context.Context, t *testing.T, n int) (nc *countingConn, p *rawPeer, sent chan error) {
	t.Helper()
	near, far := net.Pipe()
	up := make(chan *rawPeer)
	go func() { up <- rawAccept(t, far) }()
	nc = &countingConn{Conn: near}
	c, err := dialOn(nc, conn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		far.Close()
		c.Close(conn.CodeNormal, "")
	})
	p = <-up
	inBackground(t, func() { _ = c.Send(context.Background(), conn.Bulk, numbered("bulk")) })
	synctest.Wait() // the peer reads nothing
	sent = make(chan error, n)
	for i := range n {
		inBackground(t, func() { sent <- c.Send(ctx, conn.Control, numbered(fmt.Sprint(i))) })
		synctest.Wait() // one after the other
	}
	return nc, p, sent
}

// What many send at the same time leaves together, in the order in which it came.
func TestSmallFramesLeaveTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, p, sent := crowded(t.Context(), t, 50)
		before := nc.writes.Load()
		for i, task := range p.tasks(t, 51) {
			if want := fmt.Sprint(i - 1); task != want && i > 0 {
				t.Errorf("frame %d is %q", i, task)
			}
		}
		for range 50 {
			if err := <-sent; err != nil {
				t.Error(err)
			}
		}
		if n := nc.writes.Load() - before; n > 1 {
			t.Errorf("50 frames took %d writes", n)
		}
	})
}

// Who waits for a write that has begun hears how it ended: one that is cancelled before sends nothing, one that fails is told.
func TestCancelledBeforeLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		over := errors.New("over")
		_, p, sent := crowded(ctx, t, 3)
		cancel(over)
		for range 3 {
			if err := <-sent; !errors.Is(err, over) {
				t.Errorf("error %v, want %v", err, over)
			}
		}
		if got := p.tasks(t, 1); got[0] != "bulk" {
			t.Errorf("got %q", got)
		}
	})
}

// When a write fails, all whose frames were in it are told.
func TestAllAreToldOfAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, sent := crowded(t.Context(), t, 5)
		p.Close()
		for range 5 {
			if err := <-sent; err == nil {
				t.Error("a frame was sent to nobody")
			}
		}
	})
}
