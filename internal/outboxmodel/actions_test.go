package outboxmodel_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
)

// action is one thing that can happen, with a text for the trace.
type action struct {
	weight int
	do     func()
	format string
	of     []any
}

func (a action) String() string { return fmt.Sprintf(a.format, a.of...) }

// What one run of the model has at most.
const (
	maxAgents   = 3
	maxMessages = 40
)

// step lets one of the things happen that can happen now. The number decides which, and all chances in it.
func (w *world) step(number uint64) {
	w.random = rand.New(rand.NewPCG(number, 0))
	var all []action
	offer := func(weight int, do func(), format string, of ...any) {
		all = append(all, action{weight, do, format, of})
	}
	w.serverActions(offer)
	for _, a := range w.agents {
		w.agentActions(a, offer)
	}
	w.copyActions(offer)
	total := 0
	for _, a := range all {
		total += a.weight
	}
	at := w.pick(total)
	for _, a := range all {
		if at -= a.weight; at < 0 {
			w.trace = append(w.trace, a)
			a.do()
			return
		}
	}
}

type offer func(weight int, do func(), format string, of ...any)

func (w *world) serverActions(offer offer) {
	s := w.server
	if !s.running {
		offer(20, func() { s.start(false) }, "server starts")
		offer(2, func() { s.start(true) }, "server of the old kind starts")
		if len(s.states) > 0 {
			offer(2, func() { s.restore(s.states[w.pick(len(s.states))]) }, "server's journal is restored")
		}
		return
	}
	if s.synced < len(s.journal) || len(s.opens) > 0 {
		offer(20, s.sync, "server syncs")
	}
	if s.synced < len(s.journal) {
		offer(3, s.refuse, "server's journal cannot be written")
	}
	offer(2, func() { s.stop(false) }, "server is killed")
	offer(2, func() { s.stop(true) }, "server loses power")
	offer(1, func() { s.states = append(s.states, slices.Clone(s.journal[:s.synced])) }, "server's journal is backed up")
	for i, c := range s.conns {
		for l := range c.up {
			if len(c.up[l]) > 0 {
				offer(20, func() { w.toServer(c, l) }, "server reads %v of connection %d of %s", c.up[l][0], i, c.agent.name)
			}
		}
		if c.gone && len(c.up[0])+len(c.up[1]) > 0 {
			offer(4, func() { c.dead, c.up = true, [lanes][]frame{} }, "server notices that %s has left", c.agent.name)
		}
	}
}

func (w *world) agentActions(a *agent, offer offer) {
	if !a.running {
		offer(10, a.start, "%s starts", a.name)
		offer(2, func() { w.losePower(a) }, "%s loses power while it does not run", a.name)
		for _, b := range w.copies {
			if b.of == a {
				offer(2, func() { w.restore(a, b) }, "the folder of %s is restored", a.name)
			}
		}
		return
	}
	offer(1, a.stop, "%s is killed", a.name)
	offer(1, func() { w.losePower(a) }, "%s loses power", a.name)
	if w.server.running {
		weight := 2
		if a.conn == nil || a.conn.dead {
			weight = 20
		}
		offer(weight, a.connect, "%s connects", a.name)
	}
	if a.conn != nil && len(a.conn.down) > 0 {
		offer(20, func() { w.toAgent(a) }, "%s reads %v", a.name, a.conn.down[0])
	}
	for l := range lanes {
		if w.messages < maxMessages {
			offer(6, func() { a.write(l) }, "%s writes message %d in lane %d", a.name, w.messages+1, l)
		}
		if a.ready[l] < a.next[l]-1 {
			offer(10, func() { a.commit(l) }, "%s commits lane %d", a.name, l)
		}
		if a.conn != nil && a.conn.shaken {
			offer(20, func() { a.send(l) }, "%s sends in lane %d", a.name, l)
		}
		offer(2, func() { a.letGo(l) }, "%s removes what is acknowledged in lane %d", a.name, l)
		if len(a.dir.lanes[l].records) > 1 {
			offer(1, func() { a.drop(l) }, "%s is full and drops in lane %d", a.name, l)
		}
	}
}

func (w *world) copyActions(offer offer) {
	if len(w.agents) == 0 {
		offer(5, func() { w.newAgent(&folder{}, nil) }, "a new agent")
		return
	}
	from := w.agents[w.pick(len(w.agents))]
	offer(1, func() { w.backup(from, from.dir.clone(), from.accepted) }, "the folder of %s is copied", from.name)
	if len(w.copies) == 0 {
		return
	}
	b := w.copies[w.pick(len(w.copies))]
	if b.of == from {
		offer(1, func() { w.tear(from, b) }, "the folder of %s is copied while it changes", from.name)
	}
	if len(w.agents) < maxAgents {
		offer(2, func() { w.newAgent(b.dir.clone(), b.accepted) }, "a copy of %s becomes an agent", b.of.name)
		offer(1, func() { w.newAgent(&folder{}, nil) }, "another agent")
		if from.running {
			offer(1, func() { w.fork(from) }, "%s is copied with its memory", from.name)
		}
	}
}

func (w *world) backup(of *agent, dir *folder, accepted []message) {
	w.copies = append(w.copies, backup{of, dir, slices.Clone(accepted)})
}

// restore puts an old copy in the place of a folder. What was accepted since then goes with the disk.
func (w *world) restore(a *agent, b backup) {
	for _, m := range a.accepted {
		if !slices.Contains(b.accepted, m) {
			w.excused[m] = true
		}
	}
	a.dir, a.accepted = b.dir.clone(), slices.Clone(b.accepted)
}

// tear makes a copy of which the ledger is older than the records, or younger. Only of the records that it has can it know.
func (w *world) tear(a *agent, b backup) {
	w.torn = true
	mixed, now := b.dir.clone(), a.dir.clone()
	if w.pick(2) == 0 {
		mixed.meta, mixed.saved = now.meta, now.saved
	} else {
		mixed.lanes = now.lanes
	}
	var accepted []message
	for l := range mixed.lanes {
		for _, r := range mixed.lanes[l].records {
			if w.accepted[r.msg] {
				accepted = append(accepted, r.msg)
			}
		}
	}
	w.backup(a, mixed, accepted)
}

// fork copies an agent that runs, as a snapshot of a virtual machine with its memory does.
func (w *world) fork(a *agent) {
	for _, r := range a.run {
		w.forked[r] = true
	}
	twin := w.newAgent(a.dir.clone(), a.accepted)
	twin.syncs, twin.running, twin.run, twin.next, twin.ready = a.syncs, true, a.run, a.next, a.ready
	for m := range a.holds() {
		w.twins[m] = true
	}
	for l := range a.out {
		for _, s := range a.out[l] {
			c := *s
			c.opened, c.marks = false, maps.Clone(s.marks)
			twin.out[l] = append(twin.out[l], &c)
		}
	}
}
