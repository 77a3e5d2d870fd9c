package server

import (
	"errors"
	"fmt"

	"github.com/jkstack/jkframe/v2/wire"
)

// Errors of reaching an agent.
var (
	// ErrNotFound means that no agent with this id is connected.
	ErrNotFound = errors.New("agent not found")

	// ErrGone means that the connection of the agent was lost before it had answered. It may have done what was asked.
	ErrGone = errors.New("agent is gone")
)

// ErrStopped means that the server has stopped, or is about to.
var ErrStopped = errors.New("server stops")

// errRunTwice is a mistake of the caller.
var errRunTwice = errors.New("the server runs or ran already")

// AgentError is an agent's own answer that it could not do what was asked: an error (type 0), or a reply that says so.
type AgentError struct {
	Text string // as the agent wrote it, at most 4096 bytes of it
	Why  string // one of wire.Why…; "" from an agent of the field, or if it has said no more
}

func (e *AgentError) Error() string { return fmt.Sprintf("agent answered: %q", e.Text) }

// ReplyTypeError is an answer that is neither the reply to the request nor an error.
type ReplyTypeError struct {
	Want, Got wire.Type
}

func (e *ReplyTypeError) Error() string {
	return fmt.Sprintf("agent answered with message type %d instead of %d", e.Got, e.Want)
}

// AgentTypeError is an agent that is not of the type that a call is for.
type AgentTypeError struct{ Want, Got string }

func (e *AgentTypeError) Error() string {
	return "invalid agent type want [" + e.Want + "] got [" + e.Got + "]"
}

// PanicError is a panic in a handler or in the decoding of a payload. It harms nothing else.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }
