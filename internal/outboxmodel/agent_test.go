package outboxmodel_test

import "slices"

// agent is a process with its folder.
type agent struct {
	w     *world
	name  string
	dir   *folder
	syncs bool // accepts what is on the disk; else what is in the kernel

	// Of the process.
	running bool
	run     [lanes]runID
	next    [lanes]int
	ready   [lanes]int // up to here messages are accepted, and may be sent
	out     [lanes][]*sending
	conn    *conn

	accepted []message // here, and where this folder was copied from
}

// sending is one stream as the process knows it.
type sending struct {
	stream
	first, last int // last of the live stream grows
	live        bool
	acked       int // up to here it is let go
	taken       int // up to here a journal has it, as far as this process knows
	sent        int
	marks       map[int]message // what was here and may not be in the files any more, from taken on
	opened      bool            // on this connection, and answered
}

// start recovers the folder, makes durable what it has found, and notes a new run before anything is written in it.
func (a *agent) start() {
	a.w.startsCopied(a)
	m := a.dir.meta.clone()
	fresh := a.w.newRun()
	for l := range a.dir.lanes {
		f := &a.dir.lanes[l]
		if a.w.fault != noteEarly {
			f.sync()
		}
		a.next[l] = a.following(f, m.acked[l])
		a.ready[l] = a.next[l] - 1
		m.runs[l] = a.closeRuns(m.runs[l], f, a.next[l])
		a.run[l] = fresh
		if n := len(m.runs[l]); a.w.fault == sameRun && n > 0 {
			a.run[l] = m.runs[l][n-1].run
			continue
		}
		m.runs[l] = append(m.runs[l], span{run: fresh, first: a.next[l]})
	}
	a.dir.meta = m
	if a.w.powerFails(a) {
		return
	}
	if a.w.fault != lateLedger {
		a.dir.saved = m.clone()
	}
	a.running = true
	a.listStreams()
}

// following is the sequence that comes next in a lane.
func (a *agent) following(f *files, acked int) int {
	next := max(1, f.base)
	if n := len(f.records); n > 0 {
		next = max(next, f.records[n-1].seq+1)
	}
	if a.w.fault == nextFromLog {
		return next
	}
	return max(next, acked+1)
}

// closeRuns notes which sequences the earlier runs of a lane have. Of a run that the ledger does not know (it is copied at
// another time than the records) the headers of the records tell.
func (a *agent) closeRuns(runs []span, f *files, next int) []span {
	known := len(runs)
	for _, r := range f.records {
		i := slices.IndexFunc(runs, func(s span) bool { return s.run == r.run })
		if i < 0 {
			i = len(runs)
			runs = append(runs, span{run: r.run, first: r.first})
		}
		if i >= known {
			runs[i].last = r.seq
		}
	}
	if known > 0 {
		latest := &runs[known-1]
		latest.last = next - 1
		if len(runs) > known {
			latest.last = runs[known].first - 1
		}
	}
	if a.w.fault == forgetRuns {
		runs = slices.DeleteFunc(runs, func(s span) bool {
			return !slices.ContainsFunc(f.records, func(r record) bool { return r.run == s.run })
		})
	}
	return runs
}

// listStreams makes the streams of all runs in the ledger, the oldest first.
func (a *agent) listStreams() {
	for l := range lanes {
		a.out[l] = nil
		for _, s := range a.dir.meta.runs[l] {
			if s.run == a.run[l] {
				a.out[l] = append(a.out[l], newSending(stream{s.run, l}, s.first, a.next[l]-1, true))
			} else if s.last >= s.first {
				a.out[l] = append(a.out[l], newSending(stream{s.run, l}, s.first, s.last, false))
			}
		}
		for _, s := range a.out[l] {
			s.acked = max(s.acked, min(a.dir.meta.acked[l], s.last))
			s.taken = s.acked
		}
	}
}

func newSending(of stream, first, last int, live bool) *sending {
	return &sending{stream: of, first: first, last: last, live: live, acked: first - 1, taken: first - 1, marks: map[int]message{}}
}

// live returns the stream that grows.
func (a *agent) live(l int) *sending { return a.out[l][len(a.out[l])-1] }

// write appends a message to the files of a lane.
func (a *agent) write(l int) {
	m := a.w.newMessage()
	s := a.live(l)
	a.dir.lanes[l].records = append(a.dir.lanes[l].records, record{a.run[l], s.first, a.next[l], m})
	a.w.names[m] = append(a.w.names[m], key{s.stream, a.next[l]})
	s.last = a.next[l]
	a.next[l]++
	if a.w.fault == acceptEarly {
		a.accept(l)
	}
}

// commit accepts all that is written in a lane.
func (a *agent) commit(l int) {
	if a.syncs {
		a.dir.lanes[l].sync()
	}
	a.accept(l)
}

func (a *agent) accept(l int) {
	for _, r := range a.dir.lanes[l].records {
		if r.seq > a.ready[l] {
			a.w.accepted[r.msg] = true
			a.accepted = append(a.accepted, r.msg)
		}
	}
	a.ready[l] = a.next[l] - 1
}

// drop removes the oldest record of a full lane, never the newest, which is in the file that is written to.
func (a *agent) drop(l int) {
	f := &a.dir.lanes[l]
	oldest := f.records[0]
	a.w.dropped[oldest.msg] = true
	if s := a.live(l); oldest.run == s.run {
		s.marks[oldest.seq] = oldest.msg
	}
	if a.w.fault != dropEarly {
		f.base = max(f.base, f.records[1].seq)
	}
	f.remove(func(r record) bool { return r == oldest })
}

// letGo saves what is acknowledged and removes it.
func (a *agent) letGo(l int) {
	m := a.dir.meta.clone()
	for _, s := range a.out[l] {
		m.acked[l] = max(m.acked[l], min(s.acked, s.last))
		if s.acked < s.last {
			break
		}
	}
	a.dir.meta = m
	if a.w.powerFails(a) {
		return
	}
	if a.w.fault != removeEarly {
		a.dir.saved = m.clone()
	}
	a.dir.lanes[l].remove(func(r record) bool { return r.seq <= m.acked[l] })
}

// stop ends the process; the kernel keeps what was written.
func (a *agent) stop() {
	a.running = false
	if a.conn != nil {
		a.conn.cut(a.w.pick)
		a.conn = nil
	}
}
