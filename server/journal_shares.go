package server

import "slices"

// shares says how much of the journal each agent may take. What a sink has not taken stays there, so that one agent that floods it while
// a sink is behind would leave the others nothing: of what is not taken, an agent has at most so many times as much as is free. The more
// agents send much, the less each of them gets, and there is always something for those that send little.
//
// It is counted in spans of the journal, and not by record: they are few, however long the journal is.
type shares struct {
	size   int64            // bytes that there are for all
	before span             // what was there at the start, whosever it is
	spans  []span           // what came since, the oldest first
	held   map[string]int64 // bytes of each agent that are waiting, or in spans
	used   int64            // all of held
}

// span is a part of the journal.
type span struct {
	first, last uint64 // offsets
	bytes       int64
	of          map[string]int64 // bytes of each agent
}

const (
	// timesFree is how many times as much as is free an agent may have: one alone gets three quarters of the room.
	timesFree = 3

	// spansOfJournal is into how many spans a full journal is divided.
	spansOfJournal = 64
)

// newShares divides a journal of so many bytes. Something is kept for checkpoints, and for files that are let go only as a whole.
func newShares(size int64) shares {
	return shares{size: size - size/8 - size/16, held: make(map[string]int64)}
}

// free is how many bytes there are for everybody.
func (s *shares) free() int64 { return s.size - s.before.bytes - s.used }

// takes tells whether an agent may add so many bytes.
func (s *shares) takes(agent string, n int64) bool {
	return s.held[agent]+n <= timesFree*(s.free()-n)
}

// resumes tells whether an agent that was stopped may go on: when that is worth while, and not for one message.
func (s *shares) resumes(agent string) bool { return 2*s.held[agent] <= timesFree*s.free() }

// add counts bytes of an agent that are waiting; a negative number does not wait any more, and did not get into the journal.
func (s *shares) add(agent string, n int64) {
	s.used += n
	if s.held[agent] += n; s.held[agent] == 0 {
		delete(s.held, agent)
	}
}

// written counts what has waited as a part of the journal, of which the last record has an offset.
func (s *shares) written(batch []entryToWrite, last uint64) {
	if n := len(s.spans); n == 0 || s.spans[n-1].bytes >= s.size/spansOfJournal {
		s.spans = append(s.spans, span{of: make(map[string]int64)})
	}
	now := &s.spans[len(s.spans)-1]
	now.last = last
	for i := range batch {
		n := batch[i].size()
		now.bytes += n
		now.of[batch[i].agent] += n
	}
}

// release lets go of what every sink has taken, up to an offset, and tells whether that was anything.
func (s *shares) release(passed uint64) bool {
	done := 0
	for done < len(s.spans) && s.spans[done].last <= passed {
		for agent, n := range s.spans[done].of {
			s.add(agent, -n)
		}
		done++
	}
	s.spans = slices.Delete(s.spans, 0, done)
	return s.before.shrink(passed) || done > 0
}

// shrink takes off what lies up to an offset, as if all records had the same size, and tells whether that was anything.
func (p *span) shrink(passed uint64) bool {
	if p.bytes == 0 || passed < p.first {
		return false
	}
	if passed >= p.last {
		*p = span{}
		return true
	}
	p.bytes = int64(float64(p.bytes) / float64(p.last-p.first+1) * float64(p.last-passed))
	p.first = passed + 1
	return true
}
