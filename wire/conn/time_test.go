package conn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jkstack/jkframe/v2/wire/conn"
)

// since checks how long something took, in the time of the test.
func since(t testing.TB, begin time.Time, least, most time.Duration) {
	t.Helper()
	if d := time.Since(begin); d < least || d > most {
		t.Errorf("took %v, want %v to %v", d, least, most)
	}
}

// A half-open connection must be noticed in time, and not a moment before: a peer has its whole time.
func TestIdleTimeout(t *testing.T) {
	for _, c := range []struct{ option, want time.Duration }{{0, 30 * time.Second}, {time.Minute, time.Minute}, {time.Millisecond, time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			s, p := pipe(t, conn.Options{IdleTimeout: c.option})
			p.takeAll(t)
			begin := time.Now()
			if _, err := s.Receive(); !errors.Is(err, conn.ErrIdle) {
				t.Errorf("silent peer: %v", err)
			}
			since(t, begin, c.want, c.want)
			// What said nothing is not waited for.
			s.Close(conn.CodeNormal, "")
			since(t, begin, c.want, c.want)
		})
	}
}

// Whatever is read counts as a sign of life, even single bytes of a frame: the pong of a serial agent that sends a file
// comes late.
func TestTricklingIsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := pipe(t, conn.Options{})
		inBackground(t, func() {
			for _, b := range unmasked(bitFin|opText, numbered("slow")) {
				time.Sleep(30*time.Second - 1)
				p.Write([]byte{b})
			}
		})
		if f := mustReceive(t, s); f.Task != "slow" {
			t.Errorf("got task %q", f.Task)
		}
		if d := time.Since(s.LastRead()); d != 0 {
			t.Errorf("last read %v ago", d)
		}
		begin := time.Now()
		if _, err := s.Receive(); !errors.Is(err, conn.ErrIdle) {
			t.Errorf("then silent: %v", err)
		}
		since(t, begin, 30*time.Second, 30*time.Second)
		since(t, s.LastRead(), 30*time.Second, 30*time.Second)
	})
}

// The new time of SetLimits counts from the call, whether it is longer or shorter than the old one, or none, even for a
// Receive that is waiting.
func TestSetLimitsIdle(t *testing.T) {
	for _, c := range []struct{ before, set, want time.Duration }{
		{30 * time.Second, 10 * time.Second, 10 * time.Second},
		{10 * time.Second, 30 * time.Second, 30 * time.Second},
		{-1, time.Second, time.Second},
		{10 * time.Second, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, p := pipe(t, conn.Options{IdleTimeout: c.before})
			p.takeAll(t)
			begin := time.Now()
			time.AfterFunc(5*time.Second, func() { s.SetLimits(1<<20, c.set) })
			if c.want == 0 {
				time.AfterFunc(time.Hour, func() { p.Write(unmasked(bitFin|opText, numbered("late"))) })
				mustReceive(t, s)
				since(t, begin, time.Hour, time.Hour)
				return
			}
			if _, err := s.Receive(); !errors.Is(err, conn.ErrIdle) {
				t.Errorf("%+v: %v", c, err)
			}
			since(t, begin, 5*time.Second+c.want, 5*time.Second+c.want)
		})
	}
}

// A peer that takes nothing ends the connection after the write timeout, for the sender and for the receiver.
func TestStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := pipe(t, conn.Options{IdleTimeout: -1})
		begin := time.Now()
		received := inBackground(t, func() {
			if err := receiveEnd(s); !errors.Is(err, conn.ErrStalled) {
				t.Errorf("receive: %v", err)
			}
		})
		if err := s.Send(t.Context(), conn.Bulk, frame(100)); !errors.Is(err, conn.ErrStalled) {
			t.Errorf("send: %v", err)
		}
		since(t, begin, 10*time.Second, 10*time.Second)
		received()
		since(t, begin, 10*time.Second, 10*time.Second)
		if err := s.Send(t.Context(), conn.Control, frame(100)); !errors.Is(err, conn.ErrStalled) {
			t.Errorf("next send: %v", err)
		}
	})
}

// The write timeout counts from the last byte that the peer took, to a quarter of it.
func TestStalledHalfway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := pipe(t, conn.Options{WriteTimeout: 20 * time.Second})
		time.AfterFunc(7*time.Second, func() { io.CopyN(io.Discard, p.br, 5000) })
		begin := time.Now()
		if err := s.Send(t.Context(), conn.Bulk, frame(100_000)); !errors.Is(err, conn.ErrStalled) {
			t.Errorf("send: %v", err)
		}
		since(t, begin, 27*time.Second, 32*time.Second)
	})
}

// A slow peer that moves is not cut off, however large the message: here it takes three bytes a time-out.
func TestSlowIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := pipe(t, conn.Options{WriteTimeout: 10 * time.Second, NoCompression: true})
		sent := inBackground(t, func() { mustSend(t, s, conn.Bulk, frame(600)) })
		var got bytes.Buffer
		for got.Len() < 600+8 {
			time.Sleep(9 * time.Second)
			var b [3]byte
			n, err := p.Conn.Read(b[:])
			if err != nil {
				t.Fatalf("cut off after %d bytes: %v", got.Len(), err)
			}
			got.Write(b[:n])
		}
		sent()
		p.br.Reset(&got)
		if _, payload, err := p.next(); err != nil || !bytes.Equal(payload, frame(600)) {
			t.Errorf("frame came as %q, %v", payload, err)
		}
	})
}

// Ping takes any sign of life for an answer, and says at once when there will be none.
func TestPing(t *testing.T) {
	answers := map[string][]byte{
		"pong":    unmasked(bitFin|opPong, nil),
		"message": unmasked(bitFin|opText, numbered("x")),
		"a byte":  {bitFin | opText},
	}
	for name, answer := range answers {
		synctest.Test(t, func(t *testing.T) {
			s, p := pipe(t, conn.Options{})
			defer s.Close(conn.CodeNormal, "")
			inBackground(t, func() { receiveEnd(s) })
			inBackground(t, func() {
				if first, _, err := p.next(); err != nil || first != bitFin|opPing {
					t.Errorf("ping came as %#x, %v", first, err)
				}
				time.Sleep(3 * time.Second)
				p.Write(answer)
				io.Copy(io.Discard, p.br)
			})
			begin := time.Now()
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("answered with %s: %v", name, err)
			}
			since(t, begin, 3*time.Second, 3*time.Second)
		})
	}
}

func TestPingWithoutAnswer(t *testing.T) {
	ends := []struct {
		name string
		end  func(*conn.Conn, *rawPeer)
		want error
		at   time.Duration
	}{
		{"silence", func(*conn.Conn, *rawPeer) {}, context.DeadlineExceeded, 5 * time.Second},
		{"our close", func(c *conn.Conn, _ *rawPeer) { c.Close(conn.CodeNormal, "") }, conn.ErrClosed, time.Second},
		{"the peer's end", func(_ *conn.Conn, p *rawPeer) { p.Close() }, io.ErrUnexpectedEOF, time.Second},
	}
	for _, e := range ends {
		synctest.Test(t, func(t *testing.T) {
			s, p := pipe(t, conn.Options{})
			defer s.Close(conn.CodeNormal, "")
			inBackground(t, func() { receiveEnd(s) })
			p.takeAll(t)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			time.AfterFunc(time.Second, func() { e.end(s, p) })
			begin := time.Now()
			if err := s.Ping(ctx); !errors.Is(err, e.want) {
				t.Errorf("%s: %v, want %v", e.name, err, e.want)
			}
			since(t, begin, e.at, e.at)
		})
	}
}
