package outboxmodel_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// world is everything: agents with their folders, the server, and what an all-knowing observer remembers of them.
type world struct {
	fault  fault
	random *rand.Rand
	server *server
	agents []*agent
	copies []backup
	trace  []action

	messages message
	runs     runID

	// What the observer remembers.
	names    map[message][]key
	accepted map[message]bool
	taken    map[message]bool // was in the journal, synced
	missing  map[key]bool     // was declared there, synced
	dropped  map[message]bool // by an agent whose outbox was full
	given    map[message]bool // to a server that knows nothing of the extension
	excused  map[message]bool // went down with a disk, or with what a disk had not synced
	twins    map[message]bool // were pending in a process that was copied with its memory
	forked   map[runID]bool   // was the live run of such a process
	blurred  map[runID]bool   // and that has ended before it could notice
	events   map[string]int   // how often what happened
	torn     bool             // some folder was copied while it changed
}

// backup is a copy of a folder. The records may be of another moment than the rest.
type backup struct {
	of       *agent
	dir      *folder
	accepted []message
}

// violation is what is thrown when an invariant does not hold.
type violation string

func (v violation) Error() string { return string(v) }

func newWorld(broken fault) *world {
	w := &world{
		fault: broken, names: map[message][]key{}, accepted: map[message]bool{}, taken: map[message]bool{}, dropped: map[message]bool{},
		given: map[message]bool{}, excused: map[message]bool{}, twins: map[message]bool{},
		forked: map[runID]bool{}, blurred: map[runID]bool{}, missing: map[key]bool{}, events: map[string]int{},
	}
	w.server = &server{w: w}
	return w
}

func (w *world) violated(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

// pick returns a number below n, which the step decides.
func (w *world) pick(n int) int { return w.random.IntN(n) }

func (w *world) newRun() runID { w.runs++; return w.runs }

func (w *world) newMessage() message { w.messages++; return w.messages }

func (w *world) newAgent(dir *folder, accepted []message) *agent {
	a := &agent{w: w, name: fmt.Sprint("agent", len(w.agents)), dir: dir, syncs: w.pick(2) == 0, accepted: slices.Clone(accepted)}
	w.agents = append(w.agents, a)
	return a
}

// powerFails is the moment after a write to meta: sometimes the power is lost right then.
func (w *world) powerFails(a *agent) bool {
	if w.pick(8) > 0 {
		return false
	}
	w.trace = append(w.trace, action{format: "%s loses power in the middle", of: []any{a.name}})
	w.losePower(a)
	return true
}

// losePower ends the machine of an agent. What it had accepted without syncing it may be gone.
func (w *world) losePower(a *agent) {
	a.stop()
	for _, m := range a.dir.losePower(w.pick) {
		if !a.syncs {
			w.excused[m] = true
		}
	}
}

// startsCopied: a process begins with what one has left that was copied with its memory, or of which there is a copy. Both
// may have used the same names, and nobody can tell any more. This is the one hole that is left (see the text of the
// package): such a run is not looked at from now on.
func (w *world) startsCopied(a *agent) {
	for l := range a.dir.lanes {
		for _, s := range a.dir.meta.runs[l] {
			w.blurred[s.run] = w.forked[s.run]
		}
		for _, r := range a.dir.lanes[l].records {
			w.blurred[r.run] = w.forked[r.run]
		}
	}
}

// blurry tells whether a message has, or had, a name in such a run.
func (w *world) blurry(m message) bool {
	return slices.ContainsFunc(w.names[m], func(k key) bool { return w.blurred[k.run] })
}

// holds are the messages that an agent has accepted, or has on its disk.
func (a *agent) holds() map[message]bool {
	all := map[message]bool{}
	for _, m := range a.accepted {
		all[m] = true
	}
	for l := range a.dir.lanes {
		for _, r := range a.dir.lanes[l].records {
			all[r.msg] = true
		}
	}
	return all
}

// renamed remembers the names that what an agent has to say gets beside those that it has.
func (w *world) renamed(a *agent, from, to *sending) {
	for m := range a.holds() {
		for _, k := range w.names[m] {
			if next := (key{to.stream, k.seq}); k.stream == from.stream && k.seq >= to.first && !slices.Contains(w.names[m], next) {
				w.names[m] = append(w.names[m], next)
			}
		}
	}
}

// synced remembers what is in the journal for good, until somebody restores an older one.
func (w *world) synced(journal []entry) {
	for _, e := range journal {
		if e.msg != 0 {
			w.taken[e.msg] = true
			continue
		}
		for seq := e.from; seq <= e.to; seq++ {
			w.missing[key{e.stream, seq}] = true
		}
	}
}

// checkLetGo: an agent lets go only of what the journal has had, as a message or as declared.
func (w *world) checkLetGo(a *agent, r record) {
	declared := slices.ContainsFunc(w.names[r.msg], func(k key) bool { return w.missing[k] })
	if !w.taken[r.msg] && !w.excused[r.msg] && !w.blurry(r.msg) && !declared {
		w.violated("%s lets go of message %d (%v), which the journal never had", a.name, r.msg, w.names[r.msg])
	}
}

// declared tells whether the journal says of a name of a message that it is missing.
func (w *world) declared(m message) bool {
	return slices.ContainsFunc(w.names[m], func(k key) bool {
		return slices.ContainsFunc(w.server.journal, func(e entry) bool {
			return e.msg == 0 && e.stream == k.stream && e.from <= k.seq && k.seq <= e.to
		})
	})
}

// checkJournal: every place of a stream is there once and in order, and no message is there twice.
func (w *world) checkJournal(journal []entry) {
	at := map[stream]int{}
	seen := map[message]bool{}
	for _, e := range journal {
		if to, ok := at[e.stream]; ok && e.from != to+1 {
			w.violated("the journal has %v %d after %d", e.stream, e.from, to)
		}
		at[e.stream] = e.to
		if e.msg == 0 {
			continue
		}
		if seen[e.msg] && !w.twins[e.msg] && !w.blurry(e.msg) {
			w.violated("message %d is in the journal twice: %v", e.msg, w.names[e.msg])
		}
		seen[e.msg] = true
		if !slices.Contains(w.names[e.msg], key{e.stream, e.from}) {
			w.violated("message %d is in the journal as %v %d, which never was its name", e.msg, e.stream, e.from)
		}
	}
}

// settle lets everybody come to rest with a server that works, and then looks for what was accepted.
func (w *world) settle() {
	s := w.server
	if s.running {
		s.stop(false)
	}
	s.start(false)
	for i := 0; i < len(w.agents); i++ {
		a := w.agents[i]
		for !a.running {
			a.start()
		}
		for l := range lanes {
			a.commit(l)
		}
		a.connect()
		w.drain(a)
		a.stop()
	}
	w.checkJournal(s.journal)
	in := map[message]bool{}
	for _, e := range s.journal {
		in[e.msg] = true
	}
	for m := range w.messages + 1 {
		if !w.accepted[m] || in[m] || w.excused[m] || w.blurry(m) {
			continue
		}
		if !w.declared(m) {
			w.violated("message %d (%v) was accepted, and is neither in the journal nor declared", m, w.names[m])
		}
		copied := slices.ContainsFunc(w.names[m], func(k key) bool { return w.forked[k.run] }) // its twin may have dropped it
		if !w.dropped[m] && !w.taken[m] && !w.given[m] && !w.torn && !copied {
			w.violated("message %d (%v) is declared missing, though nobody dropped it", m, w.names[m])
		}
	}
}

// drain moves frames of one agent until there are none.
func (w *world) drain(a *agent) {
	for range 1000 {
		c := a.conn
		switch {
		case len(c.down) > 0:
			w.toAgent(a)
		case a.send(0), a.send(1):
		case len(c.up[0]) > 0:
			w.toServer(c, 0)
		case len(c.up[1]) > 0:
			w.toServer(c, 1)
		default:
			w.server.sync()
			if len(c.down) == 0 {
				return
			}
		}
	}
	w.violated("%s does not come to rest", a.name)
}

func (w *world) toAgent(a *agent) {
	f := a.conn.down[0]
	a.conn.down = a.conn.down[1:]
	a.receive(f)
}

func (w *world) toServer(c *conn, l int) {
	f := c.up[l][0]
	c.up[l] = c.up[l][1:]
	w.server.receive(c, f)
}
