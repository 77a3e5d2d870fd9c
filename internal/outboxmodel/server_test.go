package outboxmodel_test

import (
	"maps"
	"slices"
)

// entry is one durable write of the journal: a message with its place in its stream, or a range that was declared missing.
type entry struct {
	stream
	from, to int
	msg      message // 0: declared
}

// server is a process with its journal.
type server struct {
	w       *world
	old     bool // knows nothing of the extension
	running bool

	journal []entry // as the kernel has it
	synced  int     // how many entries survive a loss of power
	states  [][]entry

	// Of the process.
	cursors map[stream]int
	owners  map[stream]*conn
	opens   []func() // answers that wait for the next sync
	conns   []*conn
}

func (s *server) start(old bool) {
	s.old, s.running = old, true
	s.owners = map[stream]*conn{}
	if s.w.fault != keepCursors || s.cursors == nil {
		s.cursors = map[stream]int{}
	}
	for _, e := range s.journal {
		if s.w.fault != keepCursors && s.w.fault != forgetCursors {
			s.cursors[e.stream] = e.to
		}
	}
}

// stop ends the process. After a loss of power the journal has what was synced, and of the rest as much as pick decides.
func (s *server) stop(power bool) {
	s.running = false
	s.w.checkJournal(s.journal)
	for _, c := range s.conns {
		c.dead = true
		c.up = [lanes][]frame{}
	}
	s.conns, s.opens = nil, nil
	if power {
		s.journal = s.journal[:s.synced+s.w.pick(len(s.journal)-s.synced+1)]
		s.synced = len(s.journal)
	}
}

// restore brings back an earlier state of the journal.
func (s *server) restore(state []entry) {
	s.journal = slices.Clone(state)
	s.synced = len(state)
}

// refuse is the moment in which the journal cannot be written: what was not synced is gone, and who has sent it is told to
// open the stream again.
func (s *server) refuse() {
	lost := s.journal[s.synced:]
	s.journal = s.journal[:s.synced:s.synced]
	for _, e := range lost {
		s.w.events["the journal cannot take a message"]++
		at := e.from - 1
		if have, ok := s.cursors[e.stream]; ok {
			at = min(at, have)
		}
		s.cursors[e.stream] = at
		if c := s.owners[e.stream]; c != nil && s.w.fault != refuseSilently {
			delete(s.owners, e.stream)
			c.say(frame{kind: "lost", stream: e.stream})
		}
	}
}

func (s *server) accept(a *agent) *conn {
	c := &conn{agent: a, told: map[stream]int{}}
	s.conns = append(s.conns, c)
	c.say(frame{kind: "handshake", acks: !s.old})
	return c
}

// receive takes a frame of an agent.
func (s *server) receive(c *conn, f frame) {
	switch {
	case f.kind == "open":
		s.open(c, f)
	case s.old:
		s.w.events["a server of the old kind gets a message"]++ // and keeps nothing
	case f.run == 0:
		s.w.violated("a message without a sequence reaches a server that has a journal")
	case s.owners[f.stream] == c || s.w.fault == takeFromAnyone:
		s.take(f)
	}
}

// open makes a connection the only one that a stream is taken from, and answers where the journal is.
func (s *server) open(c *conn, f frame) {
	if other := s.owners[f.stream]; other != nil && other != c {
		s.w.events["a stream goes to another connection"]++
		other.say(frame{kind: "lost", stream: f.stream})
	}
	s.owners[f.stream] = c
	if _, known := s.cursors[f.stream]; !known {
		s.cursors[f.stream] = f.from - 1
	}
	answer := func() {
		if s.owners[f.stream] == c {
			at := s.cursors[f.stream]
			c.told[f.stream] = at
			c.say(frame{kind: "opened", stream: f.stream, to: at, msg: s.last(f.stream)})
		}
	}
	if s.w.fault == openedEarly {
		answer()
		return
	}
	s.opens = append(s.opens, answer)
}

// last is the message at the end of a stream, 0 when that was declared or there is none.
func (s *server) last(of stream) message {
	for _, e := range slices.Backward(s.journal) {
		if e.stream == of {
			return e.msg
		}
	}
	return 0
}

// take writes what comes next in a stream to the journal. What is there already is ignored. Anything else means that
// something was lost on the way: it never happens.
func (s *server) take(f frame) {
	at := s.cursors[f.stream]
	if f.to <= at && s.w.fault != takeTwice {
		s.w.events["a repeated message is ignored"]++
		return
	}
	if f.from > at+1 {
		s.w.violated("%v: %d to %d come after %d", f.stream, f.from, f.to, at)
	}
	s.w.events["the server takes a "+f.kind]++
	if s.w.fault != takeTwice {
		f.from = at + 1 // what comes again as a part of a longer gap
	}
	s.journal = append(s.journal, entry{f.stream, f.from, f.to, f.msg})
	s.cursors[f.stream] = f.to
	if s.w.fault == ackEarly {
		s.acknowledge()
	}
}

// sync makes the journal durable, and only then says so.
func (s *server) sync() {
	s.synced = len(s.journal)
	s.w.synced(s.journal)
	for _, answer := range s.opens {
		answer()
	}
	s.opens = nil
	s.acknowledge()
}

func (s *server) acknowledge() {
	for _, of := range slices.SortedFunc(maps.Keys(s.owners), stream.compare) {
		c := s.owners[of]
		if at, opened := c.told[of]; opened && s.cursors[of] > at {
			c.told[of] = s.cursors[of]
			c.say(frame{kind: "ack", stream: of, to: s.cursors[of]})
		}
	}
}
