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
