package server

import (
	"net"
	"time"
)

// Patience is how long one of n clients that have not shaken hands may take.
func Patience(n int) time.Duration { return patience(n) }

// Routes are the patterns that the API answers behind its guard.
func (s *Server) Routes() map[string]Role { return s.api.roles }

// SetListeners gives the server listeners that were opened by somebody else.
func (s *Server) SetListeners(agents, api net.Listener) { s.agentLn, s.apiLn = agents, api }

// SomeRecords are records of a journal of every kind.
func SomeRecords() [][]byte {
	id := streamID{1, 2, 16: 1}
	s := saved{stream: id, seq: 7, touched: 9, sum: sum{1}}
	message := record{kind: recordMessage, stream: id, from: 1, to: 1, at: -1, typ: 30000, agent: "a", frame: []byte(`{"type":30000}`)}
	gap := record{kind: recordGap, stream: id, from: 2, to: 9, agent: "a", frame: []byte("full")}
	plain := record{kind: recordPlain, at: 1, typ: 7, frame: []byte(`{"type":7}`)}
	return [][]byte{message.append(nil), gap.append(nil), plain.append(nil), s.append([]byte{recordCheckpoint})}
}

// RewriteRecord reads a record of a journal and writes it again.
func RewriteRecord(data []byte) ([]byte, bool) {
	b := []byte{recordCheckpoint}
	if err := parseCheckpoint(data, func(s saved) { b = s.append(b) }); err == nil {
		return b, true
	}
	r, err := parseRecord(data)
	return r.append(nil), err == nil
}

// BreakAudit has the audit log take nothing any more.
func (s *Server) BreakAudit() { s.audit.Close() }

// Bundle are the certificates of the server's own CAs, as PEM.
func (s *Server) Bundle() []byte { return s.certs.ca.Bundle() }

// CollectAt is how much garbage may gather beside so many bytes, in percent of them.
func CollectAt(live uint64) int { return collectAt(live) }

// FaultShown tells whether the metric of the journal shows a fault.
func FaultShown(lasts bool, last, now time.Time) bool { return faultShown(lasts, last, now) }

// Shares are those of a journal, in which each message is a record.
type Shares struct {
	shares
	last uint64
}

// NewShares divides so many bytes, with which a number of records have bytes that a sink has not taken.
func NewShares(size, before int64, records uint64) *Shares {
	s := &Shares{shares: newShares(0), last: records}
	s.size = size
	if before > 0 {
		s.before = span{first: 1, last: records, bytes: before}
	}
	return s
}

// Put puts a message of an agent into the journal, of so many bytes there, if its share allows that.
func (s *Shares) Put(agent string, n int64) bool {
	if !s.takes(agent, n) {
		return false
	}
	s.last++
	e := entryToWrite{agent: agent, data: make([]byte, n-recordOverhead)}
	s.add(agent, e.size())
	s.written([]entryToWrite{e}, s.last)
	return true
}

// Release lets go of what is up to a record.
func (s *Shares) Release(passed uint64) { s.release(passed) }

// Last is the last record, Free what is free, and Resumes whether an agent may go on.
func (s *Shares) Last() uint64              { return s.last }
func (s *Shares) Free() int64               { return s.free() }
func (s *Shares) Resumes(agent string) bool { return s.resumes(agent) }
