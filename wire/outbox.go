package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// What an agent's outbox and a server's journal say to each other, once both have announced it: Ack in come and in handshake.
// A message of a stream is a frame with a [Place] in it.
var (
	OutOpen   = Define[OutOpenPayload](20000, "outbox open", "out_open")
	OutOpened = Define[OutOpenedPayload](20001, "outbox opened", "out_opened")
	OutAck    = Define[OutAckPayload](20002, "outbox ack", "out_ack")
	OutGap    = Define[OutGapPayload](20003, "outbox gap", "out_gap")
	OutLost   = Define[OutLostPayload](20004, "outbox lost", "out_lost")
)

// AckVersion is what an agent and a server announce as Ack.
const AckVersion = 1

// MaxStreams is how many streams a connection may have open.
const MaxStreams = 512

// MaxPlace is how much longer a frame is at most with its place.
const MaxPlace = 80

// OutOpenPayload asks where the server is with some streams. From then on they belong to this connection.
type OutOpenPayload struct {
	Streams []OutStream `json:"streams"`
}

// OutStream is a stream of messages: what one run of an agent's outbox has sent, or will, in one lane.
type OutStream struct {
	Handle uint64 `json:"h"`                 // stands for the stream on this connection; the agent chooses it
	Run    string `json:"run" wire:"max=32"` // 16 random bytes in hexadecimal. Nobody else may know them
	Lane   int    `json:"lane"`              // 0 control, 1 bulk
	First  uint64 `json:"first"`             // sequence of the first message of the run, from 1
}

// OutOpenedPayload says up to where the server's journal has some streams.
type OutOpenedPayload struct {
	Streams []OutCursor `json:"streams"`
}

// OutCursor is the last message of a stream that the journal has.
type OutCursor struct {
	Handle uint64 `json:"h"`
	Seq    uint64 `json:"seq"`
	Sum    string `json:"sum,omitempty" wire:"max=16"` // [Sum] of that message; "" when it was declared missing, or there is none
}

// OutAckPayload says that the journal has more of some streams.
type OutAckPayload struct {
	Acks []OutSeq `json:"acks"`
}

// OutSeq is a sequence of a stream: all up to it is in the journal.
type OutSeq struct {
	Handle uint64 `json:"h"`
	Seq    uint64 `json:"seq"`
}

// OutGapPayload says that some messages of a stream will not come.
type OutGapPayload struct {
	Handle uint64 `json:"h"`
	From   uint64 `json:"from"` // sequence of the first of them
	To     uint64 `json:"to"`   // and of the last
	Why    string `json:"why" wire:"max=64"`
}

// Why messages do not come.
const (
	GapFull    = "full"    // the outbox had no room
	GapDamaged = "damaged" // the agent's disk has turned them into something else
	GapGone    = "gone"    // they were let go, to a server that keeps none or that was set back since
	GapRefused = "refused" // the server has ended connection after connection on them
)

// OutLostPayload says that the server takes no messages of a stream until it is opened again: another connection has
// opened it, or the journal cannot take them now.
type OutLostPayload struct {
	Handle uint64 `json:"h"`
}

// Place is where a message stands in its stream. In a frame it is the first member, "out":[h,seq,at], in just this form.
type Place struct {
	Handle uint64
	Seq    uint64
	At     int64 // when the agent accepted the message, in nanoseconds since 1970
}

const placePrefix = `{"out":[`

// Append appends a frame with the place put into it. The frame is one that has no place yet.
func (p Place) Append(b, frame []byte) []byte {
	b = append(b, placePrefix...)
	b = strconv.AppendUint(b, p.Handle, 10)
	b = append(b, ',')
	b = strconv.AppendUint(b, p.Seq, 10)
	b = append(b, ',')
	b = strconv.AppendInt(b, p.At, 10)
	b = append(b, "],"...)
	return append(b, frame[1:]...)
}

// Place returns where the frame stands in its stream, false if it belongs to none. The text of the frame without its
// place is what AppendUnplaced appends.
func (f *Frame) Place() (Place, bool) {
	p, _, ok := cutPlace(f.data)
	return p, ok
}

// AppendUnplaced appends the text of the frame, without its place if it has one.
func (f *Frame) AppendUnplaced(b []byte) []byte {
	_, rest, ok := cutPlace(f.data)
	if !ok {
		return append(b, f.data...)
	}
	b = append(b, '{')
	return append(b, rest...)
}

// cutPlace parts a frame into its place and what follows it.
func cutPlace(data []byte) (p Place, rest []byte, ok bool) {
	// Three numbers of 20 digits at most, two commas and the end.
	head := string(data[:min(len(data), MaxPlace)])
	list, ok := strings.CutPrefix(head, placePrefix)
	if !ok {
		return p, nil, false
	}
	list, _, ok = strings.Cut(list, "],")
	if !ok {
		return p, nil, false
	}
	h, more, _ := strings.Cut(list, ",")
	seq, at, ok := strings.Cut(more, ",")
	if !ok {
		return p, nil, false
	}
	var errs [3]error
	p.Handle, errs[0] = parseUint(h)
	p.Seq, errs[1] = parseUint(seq)
	p.At, errs[2] = strconv.ParseInt(at, 10, 64)
	if errs != [3]error{} || strconv.FormatInt(p.At, 10) != at {
		return Place{}, nil, false
	}
	return p, data[len(placePrefix)+len(list)+len("],"):], true
}

// parseUint is strconv.ParseUint of what Append writes, and of nothing else.
func parseUint(s string) (uint64, error) {
	if len(s) > 1 && s[0] == '0' {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(s, 10, 64)
}

// Sum tells messages with the same place apart: the first 16 hexadecimal digits of the SHA-256 of the time of acceptance in
// decimal, a blank, and the frame without its place.
func Sum(at int64, frame []byte) string {
	b := append(strconv.AppendInt(make([]byte, 0, 21), at, 10), ' ')
	h := sha256.New()
	h.Write(b)
	h.Write(frame)
	sum := h.Sum(b[:0])
	return hex.EncodeToString(sum[:8])
}
