package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// inbox is what a connection has to do with the journal. It is made when its agent opens a stream. All of it is guarded by
// journal.mu.
type inbox struct {
	sess    *session
	flows   map[uint64]*flow // by handle; those that this connection has
	closed  bool
	sending bool // a goroutine tells the agent what follows

	opened []*flow  // answers to out_open
	acks   []*flow  // whose cursor has moved
	lost   []uint64 // handles of streams that it does not have any more
}

// flow is a stream as long as a connection has it.
type flow struct {
	inbox    *inbox
	handle   uint64
	stream   streamID
	cursor   *cursor
	answered bool // the agent has been told where to go on
	dirty    bool // it is in inbox.acks
}

// open gives streams to a connection.
func (j *journal) open(sess *session, streams []wire.OutStream) error {
	ids := make([]streamID, len(streams))
	for i, s := range streams {
		var err error
		if ids[i], err = newStreamID(s.Run, s.Lane); err != nil {
			return err
		}
		if s.First < 1 {
			return fmt.Errorf("a stream begins with %d", s.First)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	in := sess.inbox
	if in == nil {
		in = &inbox{sess: sess, flows: make(map[uint64]*flow)}
		sess.inbox = in
	}
	if in.closed {
		return nil
	}
	for i, s := range streams {
		if in.flows[s.Handle] != nil {
			return fmt.Errorf("stream %d is opened twice", s.Handle)
		}
		if len(in.flows) == wire.MaxStreams || len(in.opened)+len(in.lost) > 2*wire.MaxStreams {
			return fmt.Errorf("more than %d streams", wire.MaxStreams)
		}
		c := j.cursors[ids[i]]
		if c == nil {
			c = &cursor{seq: s.First - 1, synced: s.First - 1}
			j.cursors[ids[i]] = c
		}
		j.revoke(c)
		f := &flow{inbox: in, handle: s.Handle, stream: ids[i], cursor: c}
		c.owner, c.touched = f, time.Now().Unix()
		in.flows[s.Handle] = f
		j.opening[f] = struct{}{}
		j.answerOpen(f)
	}
	if len(j.opening) > 0 { // sinks may have taken something while nobody waited for it
		j.stir()
	}
	return nil
}

// revoke takes a stream from the connection that has it, which is told. The caller holds j.mu.
func (j *journal) revoke(c *cursor) {
	f := c.owner
	if f == nil {
		return
	}
	c.owner = nil
	delete(f.inbox.flows, f.handle)
	delete(j.opening, f)
	f.inbox.lost = append(f.inbox.lost, f.handle)
	j.answer(f.inbox)
}

// leave gives back what a connection has that has ended.
func (j *journal) leave(sess *session) {
	j.mu.Lock()
	defer j.mu.Unlock()
	in := sess.inbox
	if in == nil {
		return
	}
	in.closed = true
	for _, f := range in.flows {
		f.cursor.owner = nil
		delete(j.opening, f)
		if !f.cursor.kept && f.cursor.seq == f.cursor.synced {
			delete(j.cursors, f.stream)
		}
	}
	clear(in.flows)
	in.opened, in.acks, in.lost = nil, nil, nil
}

// verdict is what is to be done with something of a stream.
type verdict int

const (
	ignore verdict = iota // the connection does not have the stream, or the journal has it already
	take
	violation // it cannot come now
)

// judge says what is to be done with the messages from one sequence to another.
func (j *journal) judge(sess *session, handle, from, to uint64) verdict {
	j.mu.Lock()
	defer j.mu.Unlock()
	_, v := j.find(sess, handle, from, to)
	return v
}

// find is judge for who holds j.mu. It returns the flow as well.
func (j *journal) find(sess *session, handle, from, to uint64) (*flow, verdict) {
	if sess.inbox == nil {
		return nil, ignore
	}
	f := sess.inbox.flows[handle]
	switch {
	case f == nil:
		return nil, ignore
	case !f.answered || from > f.cursor.seq+1 || from > to || from == 0:
		return f, violation
	case to <= f.cursor.seq:
		j.taken.repeated++
		return f, ignore
	}
	return f, take
}

// add has a record written and acknowledged. It waits for room, and not long: when there is none, or when the agent has its share of
// the journal, it opens the stream again.
func (j *journal) add(sess *session, handle uint64, r *record) verdict {
	r.agent = sess.agent.ID
	deadline := time.Time{}
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		f, v := j.find(sess, handle, r.from, r.to)
		if v != take {
			return v
		}
		if !j.shares.takes(r.agent, int64(len(r.frame))) {
			j.faults.say("journal: an agent keeps what it has until sinks have taken what it sent", slog.String("id", r.agent),
				slog.Int64("bytes", j.shares.held[r.agent]))
			j.revoke(f.cursor)
			return ignore
		}
		if j.bytes < maxPending {
			r.stream, r.from = f.stream, max(r.from, f.cursor.seq+1)
			e := r.toWrite()
			e.cursor = f.cursor
			f.cursor.seq = r.to
			j.enqueue(e)
			return take
		}
		if deadline.IsZero() {
			deadline = time.Now().Add(patienceOfTake)
		}
		if !j.awaitRoom(time.Until(deadline)) {
			j.revoke(f.cursor)
			return ignore
		}
	}
}

// addPlain has a message written that belongs to no stream. It is dropped and counted when there is no room.
func (j *journal) addPlain(agent string, f *wire.Frame) {
	r := record{kind: recordPlain, at: time.Now().UnixNano(), typ: f.Type, agent: agent, frame: f.AppendUnplaced(nil)}
	e := r.toWrite()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fault != nil || !j.shares.takes(agent, int64(len(r.frame))) || j.bytes >= maxPending && !j.awaitRoom(patienceOfTake) {
		j.taken.refused++
		return
	}
	j.enqueue(e)
}

// toWrite makes of a record what the writer takes.
func (r *record) toWrite() entryToWrite {
	e := entryToWrite{agent: r.agent, to: r.to, at: r.at}
	e.data = r.append(make([]byte, 0, 1+len(r.stream)+4*10+len(r.agent)+len(r.frame)+5))
	if r.kind == recordGap {
		e.missing = r.to - r.from + 1
	} else {
		e.frame = len(e.data) - len(r.frame)
	}
	return e
}

// enqueue hands something to the writer. The caller holds j.mu.
func (j *journal) enqueue(e entryToWrite) {
	j.pending = append(j.pending, e)
	j.bytes += int64(len(e.data))
	j.shares.add(e.agent, e.size())
	j.stir()
}

// awaitRoom waits until there may be room, false when that takes too long. The caller holds j.mu, which is given back
// meanwhile.
func (j *journal) awaitRoom(d time.Duration) bool {
	if d <= 0 {
		return false
	}
	if j.room == nil {
		j.room = make(chan struct{})
	}
	room := j.room
	j.mu.Unlock()
	defer j.mu.Lock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-room:
		return true
	case <-t.C:
		return false
	}
}

// answer has an agent told what it is to know. The caller holds j.mu.
func (j *journal) answer(in *inbox) {
	if in.sending || in.closed || !j.agents.enter() {
		return
	}
	in.sending = true
	j.agents.finish(func() { j.tell(in) })
}

// tell tells an agent what it is to know, until that is all.
func (j *journal) tell(in *inbox) {
	for {
		frames, err := j.news(in)
		if err != nil {
			j.log.Error("journal: answer not sent", "id", in.sess.agent.ID, "err", err)
			continue
		}
		if len(frames) == 0 {
			return
		}
		for _, f := range frames {
			if in.sess.send(context.Background(), f) != nil {
				return // the connection has ended
			}
		}
	}
}

// news takes what an agent is to know.
func (j *journal) news(in *inbox) (frames [][]byte, err error) {
	j.mu.Lock()
	var opened wire.OutOpenedPayload
	var acks wire.OutAckPayload
	for _, f := range in.opened {
		if c := f.cursor; c.owner == f {
			opened.Streams = append(opened.Streams, wire.OutCursor{Handle: f.handle, Seq: c.synced, Sum: c.sum.String()})
		}
	}
	for _, f := range in.acks {
		f.dirty = false
		if f.cursor.owner == f {
			acks.Acks = append(acks.Acks, wire.OutSeq{Handle: f.handle, Seq: f.cursor.synced})
		}
	}
	lost := in.lost
	in.opened, in.acks, in.lost = nil, nil, nil
	in.sending = len(opened.Streams)+len(acks.Acks)+len(lost) > 0
	j.mu.Unlock()

	add := func(b []byte, e error) {
		if e != nil {
			err = e
			return
		}
		frames = append(frames, b)
	}
	if len(opened.Streams) > 0 {
		add(wire.OutOpened.Append(nil, "", &opened))
	}
	if len(acks.Acks) > 0 {
		add(wire.OutAck.Append(nil, "", &acks))
	}
	for _, h := range lost {
		add(wire.OutLost.Append(nil, "", &wire.OutLostPayload{Handle: h}))
	}
	return frames, err
}

// receiveOutbox handles what belongs to the outbox of an agent, true if the frame did.
func (s *Server) receiveOutbox(sess *session, f *wire.Frame) bool {
	if !sess.acks {
		return false
	}
	place, placed := f.Place()
	switch {
	case placed:
		s.receivePlaced(sess, place, f)
	case f.Type == wire.OutOpen.Type():
		p, err := wire.OutOpen.Decode(f)
		if err != nil {
			s.badFrame(sess, err)
		} else if err = s.journal.open(sess, p.Streams); err != nil {
			s.endForViolation(sess, err.Error())
		}
	case f.Type == wire.OutGap.Type():
		p, err := wire.OutGap.Decode(f)
		if err != nil {
			s.badFrame(sess, err)
			break
		}
		r := record{kind: recordGap, from: p.From, to: p.To, at: time.Now().UnixNano(), frame: []byte(p.Why)}
		if s.journal.add(sess, p.Handle, &r) == violation {
			s.endForViolation(sess, fmt.Sprintf("gap %d to %d of stream %d cannot be there", p.From, p.To, p.Handle))
		}
	default:
		return false
	}
	return true
}

// receivePlaced handles a message of a stream. Functions given to Receive get it before the journal has it, and so at least
// once.
func (s *Server) receivePlaced(sess *session, p wire.Place, f *wire.Frame) {
	v := s.journal.judge(sess, p.Handle, p.Seq, p.Seq)
	if v == take {
		s.handleAll(sess, f, s.handlers.of(f.Type))
		r := record{kind: recordMessage, from: p.Seq, to: p.Seq, at: p.At, typ: f.Type, frame: f.AppendUnplaced(nil)}
		v = s.journal.add(sess, p.Handle, &r)
	}
	if v == violation {
		s.endForViolation(sess, fmt.Sprintf("message %d of stream %d cannot come now", p.Seq, p.Handle))
	}
}

// endForViolation ends the connection of an agent that does not keep to the protocol.
func (s *Server) endForViolation(sess *session, what string) {
	s.metrics.badFrames.WithLabelValues("outbox").Inc()
	s.noise.say("agent's outbox does not keep to the protocol", slog.String("id", sess.agent.ID), slog.String("what", what))
	sess.conn.Close(conn.CodeProtocol, what)
}
