package outboxmodel_test

import (
	"maps"
	"slices"
)

// connect leaves the connection that there is for a new one.
func (a *agent) connect() {
	if a.conn != nil {
		a.conn.cut(a.w.pick)
	}
	a.conn = a.w.server.accept(a)
	for l := range a.out {
		for _, s := range a.out[l] {
			s.opened = false
		}
	}
}

// open asks where the server is with a stream.
func (a *agent) open(s *sending) {
	s.opened = false
	a.conn.up[s.lane] = append(a.conn.up[s.lane], frame{kind: "open", stream: s.stream, from: s.first})
}

// send puts the next of a lane on the connection. Runs go out one after the other.
func (a *agent) send(l int) bool {
	if a.conn == nil || !a.conn.shaken {
		return false
	}
	if !a.conn.acks {
		return a.sendPlain(l)
	}
	for _, s := range a.out[l] {
		if !s.opened {
			return false
		}
		last := s.last
		if s.live {
			last = a.ready[l]
		}
		for s.sent < last {
			f := a.nextFrame(s, last)
			s.sent = f.to
			if f.kind == "gap" && a.w.fault == skipGaps {
				continue
			}
			a.conn.up[l] = append(a.conn.up[l], f)
			if a.w.fault == letGoSent {
				a.advance(s, s.sent)
			}
			return true
		}
	}
	return false
}

// nextFrame is what comes after s.sent: a message, or the range of those that are not there any more.
func (a *agent) nextFrame(s *sending, last int) frame {
	end := last
	for _, r := range a.dir.lanes[s.lane].records {
		if r.run != s.run || r.seq <= s.sent || r.seq > last {
			continue
		}
		if r.seq == s.sent+1 {
			return frame{kind: "message", stream: s.stream, from: r.seq, to: r.seq, msg: r.msg}
		}
		end = min(end, r.seq-1)
	}
	return frame{kind: "gap", stream: s.stream, from: s.sent + 1, to: end}
}

// sendPlain sends to a server that knows nothing of the extension: what is written is let go.
func (a *agent) sendPlain(l int) bool {
	for _, r := range a.dir.lanes[l].records {
		for _, s := range a.out[l] {
			if s.run == r.run && r.seq > s.acked && r.seq <= a.ready[l] {
				a.conn.up[l] = append(a.conn.up[l], frame{kind: "message", msg: r.msg})
				a.w.given[r.msg] = true
				s.acked = r.seq
				s.marks[r.seq] = r.msg
				return true
			}
		}
	}
	return false
}

// receive takes a frame of the server.
func (a *agent) receive(f frame) {
	if f.kind == "handshake" {
		a.conn.shaken, a.conn.acks = true, f.acks
		if f.acks {
			for l := range a.out {
				for _, s := range a.out[l] {
					a.open(s)
				}
			}
		}
		return
	}
	for _, s := range a.out[f.lane] {
		if s.run != f.run {
			continue
		}
		switch f.kind {
		case "opened":
			a.opened(s, f)
		case "ack":
			a.advance(s, f.to)
		case "lost":
			a.open(s)
		}
		return
	}
}

// opened: it learns where the server is with a stream. What it has is let go; it goes on from there, wherever that is.
func (a *agent) opened(s *sending, f frame) {
	if a.w.fault != noForkCheck && a.forked(s, f) {
		a.rename(s)
	} else if f.to > s.last {
		a.w.events["an agent sees that its folder is a copy"]++
	} else if f.to < s.taken {
		a.w.events["an agent sees that the server was restored"]++
	}
	s.opened = true
	s.sent = f.to
	if a.w.fault == trustOwnAcks {
		s.sent = s.acked
	}
	a.advance(s, f.to)
}

// forked tells whether another process has gone on with the stream: the server has what this one has not written.
func (a *agent) forked(s *sending, f frame) bool {
	if f.to > s.last {
		return s.live // of a run that has ended, a copy may be shorter
	}
	if f.to < s.first || f.to < s.taken {
		return false // nothing there, or an older state of the server
	}
	own := s.marks[f.to]
	if r, ok := a.dir.lanes[s.lane].at(f.to); ok && r.run == s.run {
		own = r.msg
	}
	return own != 0 && f.msg != 0 && own != f.msg // who has a copy may have declared it missing
}

// advance lets go of what the server has.
func (a *agent) advance(s *sending, to int) {
	for _, r := range a.dir.lanes[s.lane].records {
		if r.run == s.run && r.seq > s.acked && r.seq <= to {
			a.w.checkLetGo(a, r)
			s.marks[r.seq] = r.msg
		}
	}
	s.acked, s.taken = max(s.acked, to), max(s.taken, to)
	maps.DeleteFunc(s.marks, func(seq int, _ message) bool { return seq < s.taken })
}

// rename gives what is not acknowledged of a stream, and what is to come, to a new run. The ledger says so in one write.
func (a *agent) rename(old *sending) {
	a.w.events["an agent gives what is left to a new run"]++
	l := old.lane
	s := newSending(stream{a.w.newRun(), l}, min(old.taken, old.last)+1, old.last, old.live)
	s.marks = old.marks
	old.live, old.last = false, s.first-1
	a.w.renamed(a, old, s)
	for i, r := range a.dir.lanes[l].records {
		if r.run == old.run && r.seq >= s.first {
			a.dir.lanes[l].records[i].run, a.dir.lanes[l].records[i].first = s.run, s.first
		}
	}
	if s.live {
		a.run[l] = s.run
	}
	i := slices.Index(a.out[l], old)
	a.out[l] = slices.Insert(a.out[l], i+1, s)
	runs := a.dir.meta.runs[l]
	i = slices.IndexFunc(runs, func(r span) bool { return r.run == old.run })
	runs[i].last = old.last
	a.dir.meta.runs[l] = slices.Insert(runs, i+1, span{s.run, s.first, s.last})
	a.dir.saved = a.dir.meta.clone()
	a.open(s)
}
