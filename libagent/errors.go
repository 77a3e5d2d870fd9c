package libagent

import (
	"errors"
	"fmt"
)

// Errors that an author can meet.
var (
	// ErrStopping means that the agent stops and takes nothing more.
	ErrStopping = errors.New("agent stops")

	// ErrClosed means that a task was closed already.
	ErrClosed = errors.New("task closed")

	// ErrTooBig means that a message is larger than a frame may be.
	ErrTooBig = errors.New("message too big")

	// ErrReloading means that a Reload wants another config before it has taken its own.
	ErrReloading = errors.New("not within Reload, which has a config to take already")
)

// RefusedError is a server that did not take the agent.
type RefusedError struct {
	Server string // address
	Msg    string // what the server said
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("server %s refused the agent: %q", e.Server, clip(e.Msg, maxPeerText))
}

// Conflict reports whether the reason is that another agent with the same id is connected.
func (e *RefusedError) Conflict() bool { return e.Msg == "agent id conflict" }

// HandshakeError is a server that did not shake hands as the protocol says.
type HandshakeError struct {
	Server string // address
	Err    error
}

func (e *HandshakeError) Error() string {
	return fmt.Sprintf("handshake with server %s: %s", e.Server, clip(e.Err.Error(), maxPeerText))
}

func (e *HandshakeError) Unwrap() error { return e.Err }
