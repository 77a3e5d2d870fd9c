package server

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// streamID names a stream for ever: the run of an agent's outbox and the lane. The run is known to its agent and to the
// journal alone, and never shown.
type streamID [17]byte

// newStreamID reads the names that an agent gives to a stream.
func newStreamID(run string, lane int) (id streamID, err error) {
	if len(run) != 32 {
		return id, fmt.Errorf("run of %d digits, want 32", len(run))
	}
	if _, err := hex.Decode(id[:16], []byte(run)); err != nil {
		return id, errors.New("run is not hexadecimal")
	}
	if lane < 0 || lane > 1 {
		return id, fmt.Errorf("lane %d is neither 0 nor 1", lane)
	}
	id[16] = byte(lane)
	return id, nil
}

// name is what a message of the stream is called, for handlers: it does not tell the run.
func (id streamID) name(seq uint64) string {
	sum := sha256.Sum256(id[:])
	return hex.EncodeToString(sum[:12]) + "-" + strconv.FormatUint(seq, 10)
}

// What a record of the journal is.
const (
	recordMessage    = 1 // of a stream
	recordGap        = 2 // of a stream
	recordCheckpoint = 3 // all cursors
	recordPlain      = 4 // a message that belongs to no stream
)

// record is one record of the journal, apart from checkpoints. In the file it is the kind, the stream, and then in variable
// length: the sequence, or the first of a gap and how many follow it; the time; the type; the agent; the frame or the reason.
type record struct {
	kind   byte
	stream streamID // zero for recordPlain
	from   uint64
	to     uint64 // from, but for a gap
	at     int64  // Unix nanoseconds
	typ    wire.Type
	agent  string
	frame  []byte // or why there is a gap
}

func (r *record) append(b []byte) []byte {
	b = append(b, r.kind)
	b = append(b, r.stream[:]...)
	b = binary.AppendUvarint(b, r.from)
	b = binary.AppendUvarint(b, r.to-r.from)
	b = binary.AppendVarint(b, r.at)
	b = binary.AppendUvarint(b, uint64(r.typ))
	b = binary.AppendUvarint(b, uint64(len(r.agent)))
	b = append(b, r.agent...)
	return append(b, r.frame...)
}

var errBadRecord = errors.New("no record of a journal")

// parseRecord reads what append writes. The frame is a part of b.
func parseRecord(b []byte) (r record, err error) {
	if len(b) < 1+len(r.stream) {
		return r, errBadRecord
	}
	r.kind = b[0]
	c := cutter{rest: b[1+copy(r.stream[:], b[1:]):]}
	r.from = c.uvarint()
	r.to = r.from + c.uvarint()
	r.at = c.varint()
	typ := c.uvarint()
	r.typ = wire.Type(typ)
	r.agent = string(c.bytes(c.uvarint()))
	r.frame = c.rest
	known := r.kind == recordMessage || r.kind == recordGap || r.kind == recordPlain
	if c.bad || !known || r.to < r.from || r.kind != recordGap && r.to != r.from || typ > 1<<31-1 {
		return record{}, errBadRecord
	}
	return r, nil
}

// saved is a cursor in a checkpoint.
type saved struct {
	stream  streamID
	seq     uint64
	touched int64 // Unix seconds
	sum     sum
}

// sum is wire.Sum of the message at a cursor, zero when there is none.
type sum [8]byte

func sumOf(at int64, frame []byte) (s sum) {
	_, _ = hex.Decode(s[:], []byte(wire.Sum(at, frame))) // it is hexadecimal
	return s
}

func (s sum) String() string {
	if s == (sum{}) {
		return ""
	}
	return hex.EncodeToString(s[:])
}

// savedSize is about how many bytes a cursor takes in a checkpoint.
const savedSize = len(streamID{}) + 4 + 5 + len(sum{})

func (c *saved) append(b []byte) []byte {
	b = append(b, c.stream[:]...)
	b = binary.AppendUvarint(b, c.seq)
	b = binary.AppendVarint(b, c.touched)
	return append(b, c.sum[:]...)
}

// parseCheckpoint calls each with the cursors of a checkpoint.
func parseCheckpoint(b []byte, each func(saved)) error {
	if len(b) == 0 || b[0] != recordCheckpoint {
		return errBadRecord
	}
	for c := (cutter{rest: b[1:]}); len(c.rest) > 0; {
		var s saved
		copy(s.stream[:], c.bytes(uint64(len(s.stream))))
		s.seq, s.touched = c.uvarint(), c.varint()
		copy(s.sum[:], c.bytes(uint64(len(s.sum))))
		if c.bad {
			return errBadRecord
		}
		each(s)
	}
	return nil
}

// cutter takes what has been appended apart.
type cutter struct {
	rest []byte
	bad  bool
}

func (c *cutter) uvarint() uint64 {
	v, n := binary.Uvarint(c.rest)
	c.skip(n)
	return v
}

func (c *cutter) varint() int64 {
	v, n := binary.Varint(c.rest)
	c.skip(n)
	return v
}

func (c *cutter) skip(n int) {
	if n <= 0 {
		c.bad, c.rest = true, nil
		return
	}
	c.rest = c.rest[n:]
}

func (c *cutter) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.bad, c.rest = true, nil
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

// entry makes of a record what a handler gets.
func (r *record) entry(offset uint64) Entry {
	e := Entry{Offset: offset, Agent: r.agent, At: time.Unix(0, r.at), Type: r.typ}
	switch r.kind {
	case recordPlain:
		e.ID = "plain-" + strconv.FormatUint(offset, 10)
		e.Frame = r.frame
	case recordGap:
		e.ID = r.stream.name(r.from)
		e.Missing, e.Why = r.to-r.from+1, string(r.frame)
	default:
		e.ID = r.stream.name(r.from)
		e.Frame = r.frame
	}
	return e
}
