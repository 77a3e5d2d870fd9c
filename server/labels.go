package server

import (
	"context"
	"errors"
	"io"
	"strconv"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// typeLabel is the name of a type in the metrics. There are few of them, whatever agents send.
func typeLabel(t wire.Type) string {
	switch {
	case t.Name() != "":
		return t.String()
	case t >= 0 && t < 100: // taken by agents that this package does not know
		return strconv.Itoa(int(t))
	case t >= wire.FirstCustom:
		return "custom"
	case t >= wire.FirstExtension:
		return "extension"
	default:
		return "unknown"
	}
}

// badLabel is the name of what is wrong with a frame in the metrics.
func badLabel(err error) string {
	for _, l := range [...]struct {
		err   error
		label string
	}{
		{wire.ErrSyntax, "syntax"},
		{wire.ErrDepth, "depth"},
		{wire.ErrDuplicate, "duplicate"},
		{wire.ErrNoType, "no_type"},
		{wire.ErrNoPayload, "no_payload"},
		{wire.ErrKind, "kind"},
		{wire.ErrRange, "range"},
		{wire.ErrLength, "length"},
		{wire.ErrMemory, "memory"},
		{wire.ErrValue, "value"},
	} {
		if errors.Is(err, l.err) {
			return l.label
		}
	}
	return "other"
}

// endLabel is the label under which the end of a session is counted.
func endLabel(why error) string {
	for _, l := range [...]struct {
		err   error
		label string
	}{
		{conn.ErrClosed, "closed"}, // by the server
		{conn.ErrIdle, "idle"},
		{conn.ErrStalled, "stalled"},
		{conn.ErrTooBig, "too_big"},
		{conn.ErrProtocol, "protocol"},
		{wire.ErrUTF8, "utf8"},
		{io.ErrUnexpectedEOF, "lost"}, // without a goodbye
	} {
		if errors.Is(why, l.err) {
			return l.label
		}
	}
	if goodbye := (*conn.PeerClosedError)(nil); errors.As(why, &goodbye) {
		return "goodbye"
	}
	if crash := (*PanicError)(nil); errors.As(why, &crash) {
		return "panic"
	}
	return "network"
}

// callLabel is the label under which the end of a call is counted.
func callLabel(err error) string {
	if err == nil {
		return "ok"
	}
	var agent *AgentError
	var wrong *ReplyTypeError
	var bug *PanicError
	switch {
	case errors.Is(err, ErrNotFound):
		return "not_found"
	case errors.Is(err, ErrGone):
		return "gone"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled), errors.Is(err, ErrStopped):
		return "canceled"
	case errors.Is(err, errBusy):
		return "busy"
	case errors.As(err, &agent):
		return "agent_error"
	case errors.As(err, &wrong):
		return "wrong_reply"
	case errors.As(err, &bug):
		return "panic"
	default:
		return "bad_reply"
	}
}
