package conn

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors of a connection that has ended. What ended it is wrapped, and is among them where it is one of them.
var (
	// ErrClosed means that this side closed the connection.
	ErrClosed = errors.New("connection closed")

	// ErrTooBig means that the peer sent a message beyond [Options.MaxMessage].
	ErrTooBig = errors.New("message too big")

	// ErrProtocol means that the peer violated the WebSocket protocol, or sent compressed data that cannot be read.
	ErrProtocol = errors.New("violation of the WebSocket protocol")

	// ErrIdle means that nothing was read from the peer for [Options.IdleTimeout].
	ErrIdle = errors.New("peer said nothing")

	// ErrStalled means that the peer took no bytes for [Options.WriteTimeout].
	ErrStalled = errors.New("peer takes no bytes")
)

// FrameError is a frame that the peer should not have sent. The connection still works.
type FrameError struct {
	Len int   // bytes of the frame
	Err error // what is wrong with it
}

func (e *FrameError) Error() string { return e.Err.Error() }
func (e *FrameError) Unwrap() error { return e.Err }

// PeerClosedError is how the peer said goodbye.
type PeerClosedError struct {
	Code   int // a code of RFC 6455, section 7.4
	Reason string
}

func (e *PeerClosedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("closed by the peer (%d)", e.Code)
	}
	return fmt.Sprintf("closed by the peer (%d): %q", e.Code, e.Reason)
}

// RefusedError is the answer of a server that did not switch to WebSocket.
type RefusedError struct {
	Status     int           // HTTP status
	RetryAfter time.Duration // what the server asked to wait, 0 if it did not
	Body       string        // the beginning of the answer's body
}

func (e *RefusedError) Error() string {
	if body := strings.TrimSpace(e.Body); body != "" {
		return fmt.Sprintf("server answered with HTTP status %d: %q", e.Status, body)
	}
	return fmt.Sprintf("server answered with HTTP status %d", e.Status)
}
