package libagent

import (
	crand "crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// stream is a run of a lane as this process knows it. All of it is guarded by outbox.mu.
type stream struct {
	span         // Last of the live one grows
	live  bool   // it is the one that grows
	acked uint64 // up to here it is let go
	taken uint64 // up to here a journal has it, as far as this process knows
	mark  mark   // the last message that a journal has, when this process has sent it

	// On this connection.
	handle uint64
	asked  bool      // to open it
	after  time.Time // not asked before
	opened bool      // and answered
	sent   uint64
	flight []mark // what is sent and not acknowledged
	bytes  int    // of it
}

// mark is a message that was sent.
type mark struct {
	seq  uint64
	size int
	sum  string // wire.Sum of it
}

func newStream(of span, live bool) *stream {
	return &stream{span: of, live: live, acked: of.First - 1, taken: of.First - 1}
}

// connected begins with a connection.
func (o *outbox) connected(acks bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acks = acks
	for _, q := range o.lanes {
		for _, s := range q.streams {
			s.shut(time.Time{})
		}
	}
}

// shut notes that the server takes nothing of a stream until it is opened.
func (s *stream) shut(after time.Time) {
	s.handle, s.asked, s.after, s.opened, s.flight, s.bytes = 0, false, after, false, nil, 0
}

// find returns the stream that has a handle on this connection. The caller holds o.mu.
func (o *outbox) find(handle uint64) (*lane, *stream) {
	for _, q := range o.lanes {
		for _, s := range q.streams {
			if s.asked && s.handle == handle {
				return q, s
			}
		}
	}
	return nil, nil
}

// take handles what a server says to an outbox, true if the frame is that. An error ends the connection.
func (o *outbox) take(f *wire.Frame) (bool, error) {
	switch f.Type {
	case wire.OutOpened.Type():
		p, err := wire.OutOpened.Decode(f)
		if err != nil {
			return true, err
		}
		for _, c := range p.Streams {
			if err := o.opened(c); err != nil {
				return true, err
			}
		}
	case wire.OutAck.Type():
		p, err := wire.OutAck.Decode(f)
		if err != nil {
			return true, err
		}
		for _, a := range p.Acks {
			if err := o.acknowledged(a); err != nil {
				return true, err
			}
		}
	case wire.OutLost.Type():
		p, err := wire.OutLost.Decode(f)
		if err != nil {
			return true, err
		}
		o.closed(p.Handle)
	default:
		return false, nil
	}
	return true, nil
}

// acknowledged lets go of what the server has. It cannot have what was not sent.
func (o *outbox) acknowledged(a wire.OutSeq) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	q, s := o.find(a.Handle)
	if s == nil || !s.opened {
		return nil // of a stream that was closed meanwhile
	}
	if a.Seq > s.sent {
		return fmt.Errorf("message %d of the outbox is acknowledged, and was not sent", a.Seq)
	}
	o.advance(q, s, a.Seq)
	return nil
}

// advance notes what a journal has. The caller holds o.mu.
func (o *outbox) advance(q *lane, s *stream, to uint64) {
	for len(s.flight) > 0 && s.flight[0].seq <= to {
		s.mark = s.flight[0]
		s.bytes -= s.mark.size
		s.flight = s.flight[1:]
	}
	s.acked, s.taken = max(s.acked, to), max(s.taken, to)
	o.letGo(q)
	q.stir()
}

// closed notes that the server takes no more of a stream now.
func (o *outbox) closed(handle uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if q, s := o.find(handle); s != nil {
		s.shut(time.Now().Add(reopenAfter()))
		q.stir()
	}
}

// opened goes on where the server is, whatever was believed before.
func (o *outbox) opened(c wire.OutCursor) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	q, s := o.find(c.Handle)
	if s == nil || s.opened {
		return nil
	}
	if c.Seq < s.First-1 {
		return fmt.Errorf("the server has %d of a stream that begins with %d", c.Seq, s.First)
	}
	if s.live {
		_, next := q.store.bounds()
		s.Last = next - 1
	}
	switch {
	case o.copied(q, s, c):
		o.log.Warn("outbox: a copy of this agent has sent under the same name; the rest goes under another one", "lane", laneNames[q.number])
		return o.rename(q, s)
	case c.Seq > s.Last:
		o.log.Warn("outbox: the server has more than is here: the folder is a copy or an older state", "lane", laneNames[q.number], "messages", c.Seq-s.Last)
	case c.Seq < s.taken:
		o.log.Warn("outbox: the server has less than it had: an older state of it", "lane", laneNames[q.number], "messages", s.taken-c.Seq)
	}
	s.opened, s.sent = true, c.Seq
	o.advance(q, s, c.Seq)
	return nil
}

// copied tells whether another process has gone on with a stream: the server has what this one has not put.
func (o *outbox) copied(q *lane, s *stream, c wire.OutCursor) bool {
	if c.Seq > s.Last {
		return s.live // of a run that has ended, a copy may be shorter
	}
	if c.Seq < s.First || c.Seq < s.taken {
		return false // nothing there, or an older state of the server
	}
	own := ""
	if s.mark.seq == c.Seq {
		own = s.mark.sum
	} else if first, _ := q.store.bounds(); c.Seq >= first {
		own = q.sumAt(c.Seq)
		s.mark = mark{seq: c.Seq, sum: own}
	}
	return own != "" && c.Sum != "" && own != c.Sum // who has a copy may have declared it missing
}

// sumAt returns the sum of a message that is there, "" for one that is not.
func (q *lane) sumAt(seq uint64) string {
	var m message
	switch s := q.store.(type) {
	case *inMemory:
		if all, err := s.read(seq, nil); err == nil && len(all) > 0 && all[0].seq == seq {
			m = all[0].message
		}
	case *onDisk: // beside the one that sends
		r := s.queue.Reader(seq)
		defer r.Close()
		if rec, err := r.Next(s.done); err == nil && rec.Seq == seq && len(rec.Data) >= messageHead {
			m = message(rec.Data)
		}
	}
	if m == nil {
		return ""
	}
	return wire.Sum(m.at(), m.frame())
}

// maxRenames is how many streams a lane may have: only a server that makes fun of the agent brings it to that.
const maxRenames = 256

// rename gives what is not acknowledged of a stream, and what is to come, to a new run. The caller holds o.mu.
func (o *outbox) rename(q *lane, old *stream) error {
	if len(q.streams) >= maxRenames {
		return fmt.Errorf("more than %d streams of an outbox", maxRenames)
	}
	of := span{Origin: old.Origin, First: min(old.taken, old.Last) + 1, Last: old.Last}
	crand.Read(of.Run[:]) // never fails
	s := newStream(of, old.live)
	old.live, old.Last = false, of.First-1
	old.acked = old.Last
	i := slices.Index(q.streams, old)
	q.streams = slices.Insert(q.streams, i+1, s)
	old.opened, old.sent = true, old.Last
	if old.Last < old.First {
		q.streams = slices.Delete(q.streams, i, i+1)
	}
	if err := o.saveLedger(); err != nil {
		o.log.Error("outbox: nothing is sent until its folder can be written", "error", err)
	}
	q.stir()
	return nil
}

// step is what is to be done next for a lane.
type step struct {
	open   []wire.OutStream
	stream *stream
	handle uint64
	from   uint64 // sequences to send
	last   uint64
	wait   time.Duration // when there is nothing else, 0 for as long as nobody stirs
}

// next says what is to be done for a lane.
func (o *outbox) next(q *lane) step {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.saved && o.saveLedger() != nil {
		return step{wait: time.Second}
	}
	_, next := q.store.bounds()
	q.streams[len(q.streams)-1].Last = next - 1
	st := o.openings(q)
	if len(st.open) > 0 {
		return st
	}
	for _, s := range q.streams {
		switch {
		case s.Last < s.First, s.opened && s.sent >= s.Last:
			continue
		case !s.opened, s.bytes >= outboxWindow:
			return step{wait: st.wait}
		}
		return step{stream: s, handle: s.handle, from: s.sent + 1, last: s.Last}
	}
	return step{wait: st.wait}
}

// openings lists the streams that are to be opened, or says how long none is. The caller holds o.mu.
func (o *outbox) openings(q *lane) (st step) {
	now := time.Now()
	for _, s := range q.streams {
		if s.asked || s.Last < s.First {
			continue
		}
		if wait := s.after.Sub(now); wait > 0 {
			if st.wait == 0 || wait < st.wait {
				st.wait = wait
			}
			continue
		}
		o.links++
		s.handle, s.asked = o.links, true
		st.open = append(st.open, wire.OutStream{Handle: s.handle, Run: hex.EncodeToString(s.Run[:]), Lane: int(q.number), First: s.First})
	}
	return st
}

// laneOf is the lane of what was declared urgent or not.
func laneOf(urgent bool) conn.Lane {
	if urgent {
		return conn.Control
	}
	return conn.Bulk
}
