package conn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// tasks reads n frames, and returns the tasks that they belong to.
func (p *rawPeer) tasks(t testing.TB, n int) []string {
	t.Helper()
	var tasks []string
	for len(tasks) < n {
		payload, err := p.message()
		if err != nil {
			t.Fatalf("peer after %q: %v", tasks, err)
		}
		f, err := wire.Parse(payload)
		if err != nil {
			t.Fatalf("peer after %q: %v", tasks, err)
		}
		tasks = append(tasks, f.Task)
	}
	return tasks
}

// A kill must not wait behind the output of what it is to kill: of what waits, the control lane goes first, and within a
// lane whoever came first.
func TestControlOvertakesBulk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := pipe(t, conn.Options{})
		send := func(lane conn.Lane, tasks ...string) {
			var frames [][]byte
			for _, task := range tasks {
				frames = append(frames, numbered(task))
			}
			inBackground(t, func() { mustSend(t, s, lane, frames...) })
			synctest.Wait()
		}
		send(conn.Bulk, "being written")
		send(conn.Bulk, "bulk 1", "bulk 2")
		send(conn.Bulk, "bulk 3")
		send(conn.Control, "control 1", "control 2")
		send(conn.Control, "control 3")
		want := []string{"being written", "control 1", "control 2", "control 3", "bulk 1", "bulk 2", "bulk 3"}
		if got := p.tasks(t, len(want)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("came as %q, want %q", got, want)
		}
	})
}

// Whoever sends a whole file in one call does not have the control lane wait for the end of it.
func TestControlOvertakesWithinCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := pipe(t, conn.Options{NoCompression: true})
		frames := make([][]byte, 100)
		for i := range frames {
			frames[i] = frame(30_000)
		}
		inBackground(t, func() { mustSend(t, s, conn.Bulk, frames...) })
		synctest.Wait()
		inBackground(t, func() { mustSend(t, s, conn.Control, numbered("now")) })
		synctest.Wait()
		before := 0
		for p.tasks(t, 1)[0] != "now" {
			before++
		}
		if before > 3 {
			t.Errorf("control frame came after %d frames of 30 kB, want after the turn of 64 KiB", before)
		}
		p.tasks(t, len(frames)-before)
	})
}

// A peer that floods with pings must neither fill the memory with answers nor stop the bulk lane.
func TestPingFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := pipe(t, conn.Options{})
		defer p.Close()
		inBackground(t, func() { receiveEnd(s) })
		// Nobody takes the first pong, and the others have it to wait for.
		for i := range 1000 {
			p.write(t, unmasked(bitFin|opPing, fmt.Append(nil, i)))
			synctest.Wait()
		}
		inBackground(t, func() { mustSend(t, s, conn.Bulk, numbered("bulk")) })
		synctest.Wait()
		for i := 0; ; i++ {
			if i > 150 {
				t.Fatal("the bulk lane is still stopped after 150 pongs")
			}
			first, payload, err := p.next()
			if err != nil {
				t.Fatal(err)
			}
			if first&0xf != opPong {
				break
			}
			// Of what came while the first pong waited, the newest ping is answered.
			if want := map[int]string{0: "0", 1: "999"}[i]; string(payload) != want {
				t.Errorf("pong %d answers ping %q, want %q", i, payload, want)
			}
			synctest.Wait() // the next one is being written
			p.write(t, unmasked(bitFin|opPing, nil))
			synctest.Wait() // its pong waits
		}
	})
}

// Two peers that both have full buffers, and both are pinged, must not wait for each other for ever.
func TestPingsWithFullBuffers(t *testing.T) {
	s, c := pair(t, conn.Options{NoCompression: true}, conn.Options{NoCompression: true})
	const n = 100
	for _, d := range []*conn.Conn{s, c} {
		inBackground(t, func() {
			for range n {
				mustSend(t, d, conn.Bulk, frame(100_000))
				if err := d.SendPing(context.Background()); err != nil {
					t.Errorf("ping: %v", err)
				}
			}
		})
	}
	received := inBackground(t, func() {
		for range n {
			mustReceive(t, s)
		}
	})
	for range n {
		mustReceive(t, c)
	}
	received()
}

// Sending is cancelled while it waits for its turn: it returns at once, its frames never go out, and the next sender
// has its turn.
func TestCancelledSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := pipe(t, conn.Options{})
		inBackground(t, func() { mustSend(t, s, conn.Bulk, numbered("first")) })
		synctest.Wait()
		reason := errors.New("changed my mind")
		for _, lane := range []conn.Lane{conn.Control, conn.Bulk} {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancelled := inBackground(t, func() {
				if err := s.Send(ctx, lane, numbered("cancelled")); !errors.Is(err, reason) {
					t.Errorf("lane %d: %v", lane, err)
				}
			})
			synctest.Wait()
			cancel(reason)
			cancelled()
		}
		inBackground(t, func() { mustSend(t, s, conn.Bulk, numbered("last")) })
		synctest.Wait()
		if got := p.tasks(t, 2); fmt.Sprint(got) != "[first last]" {
			t.Errorf("came as %q", got)
		}
		// A context that has ended already sends nothing, though nobody is in the way.
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(reason)
		if err := s.Send(ctx, conn.Control, numbered("cancelled")); !errors.Is(err, reason) {
			t.Errorf("ended before: %v", err)
		}
		inBackground(t, func() { mustSend(t, s, conn.Bulk, numbered("end")) })
		if got := p.tasks(t, 1); got[0] != "end" {
			t.Errorf("came as %q", got)
		}
	})
}

// Cancelling at every moment, also that of being let in, never loses the turn of another.
func TestCancelStorm(t *testing.T) {
	s, p := pipe(t, conn.Options{})
	p.takeAll(t)
	const rounds, senders = 300, 30
	var sent uint64
	for range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, senders)
		for i := range senders {
			go func() { results <- s.Send(ctx, conn.Lane(i%2), numbered("x")) }()
		}
		for i := range senders {
			if i == senders/3 {
				cancel()
			}
			switch err := <-results; {
			case err == nil:
				sent++
			case !errors.Is(err, context.Canceled):
				t.Fatalf("send: %v", err)
			}
		}
		cancel()
	}
	mustSend(t, s, conn.Bulk, numbered("usable"))
	if got := s.Stats().OutFrames; got != sent+1 {
		t.Errorf("%d frames went out, %d sends succeeded", got, sent+1)
	}
	if sent == 0 || sent == rounds*senders {
		t.Errorf("%d of %d sends were cancelled", rounds*senders-sent, rounds*senders)
	}
}

// countingConn counts what is written, and how often.
type countingConn struct {
	net.Conn
	writes, bytes atomic.Int64
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	n, err := c.Conn.Write(p)
	c.bytes.Add(int64(n))
	return n, err
}

// A sender that has many frames pays for few system calls.
func TestBatches(t *testing.T) {
	near, far := net.Pipe()
	up := make(chan *rawPeer)
	go func() { up <- rawAccept(t, far) }()
	nc := &countingConn{Conn: near}
	c, err := dialOn(nc, conn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := <-up
	p.takeAll(t)
	defer c.Close(conn.CodeNormal, "")
	defer p.Close()
	for _, b := range []struct{ frames, size, most int }{
		{0, 200, 0},
		{1, 200, 1}, // no write for the header alone
		{1, 60_000, 1},
		{1000, 200, 4},    // 208 kB with headers
		{10, 500_000, 80}, // eight times 64 KiB each
	} {
		frames := make([][]byte, b.frames)
		for i := range frames {
			frames[i] = frame(b.size)
		}
		before := nc.writes.Load()
		mustSend(t, c, conn.Bulk, frames...)
		if got := nc.writes.Load() - before; got > int64(b.most) {
			t.Errorf("%d frames of %d bytes took %d writes, want at most %d", b.frames, b.size, got, b.most)
		}
	}
}

// A buffer may be used again as soon as Send has returned.
func TestFramesAreReusable(t *testing.T) {
	for _, off := range []bool{true, false} {
		s, c := pair(t, conn.Options{NoCompression: off}, conn.Options{NoCompression: off})
		sent := inBackground(t, func() {
			buf := frame(100_000)
			for i := range 20 {
				copy(buf[len(buf)-3:], fmt.Append(nil, i%10))
				mustSend(t, c, conn.Bulk, buf[:])
				copy(buf[len(buf)-3:], "!")
			}
		})
		for i := range 20 {
			f := mustReceive(t, s)
			if got := f.Error[len(f.Error)-1:]; got != fmt.Sprint(i%10) {
				t.Errorf("frame %d ends with %s", i, got)
			}
		}
		sent()
	}
}

// The frames of one sender come in order, and none is lost or cut, whatever others send at the same time.
func TestManySenders(t *testing.T) {
	s, c := pair(t, conn.Options{}, conn.Options{})
	const senders, each = 20, 100
	for i := range senders {
		inBackground(t, func() {
			for k := 0; k < each; k += 2 {
				text := string(bytes.Repeat([]byte{'a' + byte(i)}, 1+(k*i)%3000))
				a, b := wire.AppendError(nil, fmt.Sprintf("%d %d", i, k), text), wire.AppendError(nil, fmt.Sprintf("%d %d", i, k+1), text)
				mustSend(t, c, conn.Lane(k/2%2), a, b)
			}
		})
	}
	var next [senders]int
	for range senders * each {
		f := mustReceive(t, s)
		var i, k int
		if _, err := fmt.Sscanf(f.Task, "%d %d", &i, &k); err != nil {
			t.Fatal(err)
		}
		if k != next[i] {
			t.Fatalf("sender %d: frame %d came, want %d", i, k, next[i])
		}
		next[i]++
	}
}
