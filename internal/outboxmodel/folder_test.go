package outboxmodel_test

import (
	"cmp"
	"slices"
)

const lanes = 2

// message is what an agent has to say; no two are the same, and 0 is none.
type message int

// runID is the random number that a start of an agent gives to its outbox. In the model no two are the same.
type runID int

// stream is what has a sequence of its own.
type stream struct {
	run  runID
	lane int
}

func (s stream) compare(t stream) int {
	return cmp.Or(cmp.Compare(s.run, t.run), cmp.Compare(s.lane, t.lane))
}

// key names a message for ever.
type key struct {
	stream
	seq int
}

// record is a message as the files of a lane hold it. The header of its segment says in which run it was written and
// which was the first sequence of that run.
type record struct {
	run   runID
	first int
	seq   int
	msg   message
}

// files are one lane on disk.
type files struct {
	records []record // what is there, in order of seq
	base    int      // from the name of the newest file: no seq below it is given again
	synced  int      // records up to this seq survive a loss of power
	removed []record // what a loss of power may bring back
}

// span is what one run has written in a lane: the sequences from first to last.
type span struct {
	run         runID
	first, last int
}

// meta is the one small file beside the lanes, which is only ever replaced as a whole.
type meta struct {
	acked [lanes]int    // everything up to here is let go
	runs  [lanes][]span // the ledger. The last is the run of the latest start, and its last is not known yet
}

func (m meta) clone() meta {
	for l := range m.runs {
		m.runs[l] = slices.Clone(m.runs[l])
	}
	return m
}

// folder is what an agent has on its disk: as the kernel has it, and of meta also what a loss of power leaves.
type folder struct {
	lanes [lanes]files
	meta  meta
	saved meta
}

func (f *folder) clone() *folder {
	c := *f
	for l := range c.lanes {
		c.lanes[l].records = slices.Clone(c.lanes[l].records)
		c.lanes[l].sync()
	}
	c.meta, c.saved = f.meta.clone(), f.meta.clone()
	return &c
}

// sync makes the records of a lane survive a loss of power.
func (f *files) sync() {
	if n := len(f.records); n > 0 {
		f.synced = f.records[n-1].seq
	}
	f.removed = nil
}

// remove deletes the records for which gone tells so.
func (f *files) remove(gone func(record) bool) {
	kept := f.records[:0:0]
	for _, r := range f.records {
		if gone(r) {
			f.removed = append(f.removed, r)
		} else {
			kept = append(kept, r)
		}
	}
	f.records = kept
}

// at returns the record with a sequence.
func (f *files) at(seq int) (record, bool) {
	for _, r := range f.records {
		if r.seq == seq {
			return r, true
		}
	}
	return record{}, false
}

// losePower leaves what is on the disk, and of the rest as much as pick decides. It returns the messages that are gone.
func (f *folder) losePower(pick func(int) int) (lost []message) {
	for l := range f.lanes {
		lane := &f.lanes[l]
		if n := len(lane.removed); n > 0 {
			lane.records = slices.Concat(lane.removed[pick(n+1):], lane.records)
			slices.SortFunc(lane.records, func(a, b record) int { return a.seq - b.seq })
		}
		kept := len(lane.records)
		for kept > 0 && lane.records[kept-1].seq > lane.synced && pick(3) > 0 {
			kept--
		}
		for _, r := range lane.records[kept:] {
			lost = append(lost, r.msg)
		}
		lane.records = lane.records[:kept]
		lane.sync()
	}
	if pick(2) > 0 {
		f.meta = f.saved.clone()
	}
	f.saved = f.meta.clone()
	return lost
}
