package libagent

import (
	"context"
	"time"

	"github.com/jkstack/jkframe/v2/l2cache"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// readAgain is how long the outbox waits when what it holds cannot be read.
const readAgain = time.Second

// pump sends the replies of a lane over a connection until that ends. What was sent is let go when it is written.
func (ag *Agent) pump(ctx context.Context, c *conn.Conn, l conn.Lane) error {
	m := ag.out.memory
	for {
		frames, err := m.peek(ctx, l)
		if err != nil {
			return err
		}
		if err := c.Send(ctx, l, frames...); err != nil {
			ag.out.noteGivenUp(m.fail(l))
			return err
		}
		m.drop(l, len(frames))
	}
}

// pumpNewest sends what tells of now.
func (ag *Agent) pumpNewest(ctx context.Context, c *conn.Conn) error {
	for {
		t, f, err := ag.out.newest.take(ctx)
		if err != nil {
			return err
		}
		if err := c.Send(ctx, f.lane, f.frame); err != nil {
			ag.out.noteGivenUp(ag.out.newest.fail(t, f))
			return err
		}
		ag.out.newest.sent(t, f)
	}
}

// delivery sends what was emitted for a lane over one connection.
type delivery struct {
	out   *outbox
	lane  *lane
	conn  *conn.Conn
	batch []stored
	buf   []byte
}

// deliver sends what was emitted for a lane until the connection ends.
func (ag *Agent) deliver(ctx context.Context, c *conn.Conn, l conn.Lane, acks bool) error {
	d := &delivery{out: ag.out, lane: ag.out.lanes[l], conn: c}
	send := d.sendPlain
	if acks {
		send = d.send
	}
	begin, _ := d.lane.store.bounds()
	for {
		wait, more, err := send(ctx)
		if err != nil {
			d.out.giveUp(d.lane, begin, acks)
			return err
		}
		if more {
			continue
		}
		if !d.sleep(ctx, wait) {
			d.out.giveUp(d.lane, begin, acks)
			return context.Cause(ctx)
		}
	}
}

// sleep waits until there may be something to do, false when ctx is done.
func (d *delivery) sleep(ctx context.Context, wait time.Duration) bool {
	var late <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		late = t.C
	}
	select {
	case <-d.lane.wake:
	case <-late:
	case <-ctx.Done():
		return false
	}
	return true
}

// sendPlain sends some messages to a server that has no journal, and lets go of them.
func (d *delivery) sendPlain(ctx context.Context) (wait time.Duration, more bool, err error) {
	first, next := d.lane.store.bounds()
	if first == next {
		return 0, false, nil
	}
	if d.batch, err = d.lane.store.read(first, d.batch[:0]); err != nil {
		d.out.log.Error("outbox cannot be read", "error", err)
		return readAgain, false, nil
	}
	defer clear(d.batch)
	to := next - 1 // when nothing of it can be read any more
	var frames [][]byte
	for _, m := range d.batch {
		frames = append(frames, m.frame())
		to = m.seq
	}
	d.out.try(d.lane, first)
	if err := d.conn.Send(ctx, d.lane.number, frames...); err != nil {
		return 0, false, err
	}
	d.out.mu.Lock()
	defer d.out.mu.Unlock()
	for _, s := range d.lane.streams {
		if s.live {
			s.Last = max(s.Last, to)
		}
		s.acked = max(s.acked, min(to, s.Last))
	}
	d.out.letGo(d.lane)
	return 0, true, nil
}

// send does what is to be done next for the lane, with a server that acknowledges.
func (d *delivery) send(ctx context.Context) (wait time.Duration, more bool, err error) {
	st := d.out.next(d.lane)
	if len(st.open) > 0 {
		b, err := wire.OutOpen.Append(nil, "", &wire.OutOpenPayload{Streams: st.open})
		if err != nil {
			return 0, false, err
		}
		return 0, true, d.conn.Send(ctx, conn.Control, b)
	}
	if st.stream == nil {
		return st.wait, false, nil
	}
	if d.batch, err = d.lane.store.read(st.from, d.batch[:0]); err != nil {
		d.out.log.Error("outbox cannot be read", "error", err)
		return readAgain, false, nil
	}
	defer clear(d.batch)
	frames, marks, sent, err := d.frames(st)
	if err != nil {
		return 0, false, err
	}
	if !d.out.note(st, marks, sent) {
		return 0, true, nil // the stream was closed meanwhile
	}
	return 0, true, d.conn.Send(ctx, d.lane.number, frames...)
}

// frames makes frames of what was read: messages with their places, and what is not there declared as missing.
func (d *delivery) frames(st step) (frames [][]byte, marks []mark, sent uint64, err error) {
	var ends []int
	add := func(b []byte) { d.buf, ends = b, append(ends, len(b)) }
	d.buf = d.buf[:0]
	sent = st.from - 1
	gap := func(to uint64) error {
		b, err := wire.OutGap.Append(d.buf, "", &wire.OutGapPayload{Handle: st.handle, From: sent + 1, To: to, Why: d.out.why(d.lane, sent+1)})
		if err == nil {
			add(b)
			marks = append(marks, mark{seq: to})
			sent = to
		}
		return err
	}
	end := st.last
	for _, m := range d.batch {
		if m.seq > st.last {
			break
		}
		if m.seq == d.lane.refused {
			continue
		}
		if m.seq > sent+1 {
			if err := gap(m.seq - 1); err != nil {
				return nil, nil, 0, err
			}
		}
		at := m.at()
		add(wire.Place{Handle: st.handle, Seq: m.seq, At: at}.Append(d.buf, m.frame()))
		marks = append(marks, mark{m.seq, len(m.message), wire.Sum(at, m.frame())})
		sent = m.seq
	}
	if n := len(d.batch); n > 0 {
		end = min(end, d.batch[n-1].seq) // what follows is read next
	}
	if sent < end {
		if err := gap(end); err != nil {
			return nil, nil, 0, err
		}
	}
	from := 0
	for _, to := range ends {
		frames = append(frames, d.buf[from:to])
		from = to
	}
	if cap(d.buf) > 4*batchBytes {
		d.buf = nil // one large message must not keep so much
	}
	return frames, marks, sent, nil
}

// note notes what is about to be sent, false when the stream is not where it was.
func (o *outbox) note(st step, marks []mark, sent uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := st.stream
	if !s.opened || s.handle != st.handle || s.sent != st.from-1 {
		return false
	}
	for _, m := range marks {
		s.bytes += m.size
	}
	s.flight = append(s.flight, marks...)
	s.sent = sent
	return true
}

// why says why a message is not there any more.
func (o *outbox) why(q *lane, seq uint64) string {
	if seq == q.refused {
		return wire.GapRefused
	}
	o.lossMu.Lock()
	defer o.lossMu.Unlock()
	for _, l := range q.lost {
		if l.From <= seq && seq <= l.To {
			if l.Reason == l2cache.Dropped {
				return wire.GapFull
			}
			return wire.GapDamaged
		}
	}
	return wire.GapGone
}

// try notes that a message is about to be sent to a server without a journal. The caller has no lock.
func (o *outbox) try(q *lane, seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := q.streams[len(q.streams)-1]; seq >= s.First {
		s.sent = max(s.sent, seq)
	}
}

// noteGivenUp says that a message of so many bytes is given up, if there are any.
func (o *outbox) noteGivenUp(size int) {
	if size > 0 {
		o.dropped.Add(1)
		o.log.Error("message given up: the server does not take it", "bytes", size, "connections", maxFailures)
	}
}

// giveUp looks, when a connection has ended, whether its first message was sent and not taken. When that happens again and
// again with a large one, it is given up: the server does not take it.
func (o *outbox) giveUp(q *lane, begin uint64, acks bool) {
	first, next := q.store.bounds()
	if first == next || first != begin {
		q.times = 0
		return
	}
	o.mu.Lock()
	sent := false
	for _, s := range q.streams {
		sent = sent || s.First <= first && first <= s.Last+1 && s.sent >= first
	}
	o.mu.Unlock()
	if !sent {
		return
	}
	if q.tried != first {
		q.tried, q.times = first, 0
	}
	if q.times++; q.times < maxFailures {
		return
	}
	m, err := q.store.read(first, nil)
	if err != nil || len(m) == 0 || m[0].seq != first || len(m[0].message) <= batchBytes {
		return
	}
	o.noteGivenUp(len(m[0].frame()))
	if acks {
		q.refused = first
		return
	}
	if err := q.store.release(first); err != nil {
		o.log.Error("outbox", "error", err)
	}
}
