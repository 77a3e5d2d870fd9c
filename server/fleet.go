package server

import (
	"context"
	"fmt"
	"time"

	"github.com/jkstack/jkframe/v2/wire"
)

// maxErrorText is how much of an agent's error is kept, in bytes.
const maxErrorText = 4096

// Agent is a connected agent: what it said of itself when it came, and what the server knows of it. Texts are the
// agent's own, of at most 255 bytes each; quote them before they reach a terminal. Name is the type of the agent.
type Agent struct {
	wire.ComePayload
	Remote    string    // the address it came from
	Connected time.Time // when it shook hands
	Busy      bool      // it has not yet taken what is being sent to it

	// Authenticated means that a certificate proves its ID and its type; of any other agent they are what it says.
	Authenticated bool

	// Secure means that nobody between can read what is said: the connection speaks TLS, or is on the same host.
	Secure bool
}

// Filter chooses agents for [Fleet.List]. The zero value chooses all.
type Filter struct {
	Type  string // the agent's type, such as exec-agent; "" for any
	OS    string // linux or windows; "" for any
	Skip  int    // so many of the chosen are left out at the beginning
	Limit int    // at most so many; 0 for all
}

// Fleet is how agents are reached. A [*Server] is one: the agents connected to itself. Its methods may be called by any
// number of goroutines at once.
//
// What is sent is an order, unless its message was declared with [wire.Query] and is sent with [Call] or [Send]. An order is
// in the audit log, on the disk, before it goes out (but see [Late]), in the name of ctx (see [PrincipalOf]); it is not sent if it
// cannot be written, which is [ErrAudit]. One with a password is not sent where it could be read on the way, which is
// [ErrPlaintext]. Agents that the principal may not reach are not there for it.
type Fleet interface {
	// List returns the chosen agents, sorted by id.
	List(ctx context.Context, f Filter) ([]Agent, error)

	// Get returns the agent with this id, or [ErrNotFound].
	Get(ctx context.Context, id string) (Agent, error)

	// Call sends a request and waits for the answers to its task until one is the last, or until ctx is done; a ctx
	// without a deadline gets one, of a server's api.timeout, since an agent that does not know a message says nothing. Encode appends the request's frame with a task id that the fleet chooses.
	// Take gets each answer, in order, and says whether it is the last; an error ends the call too. The frame is valid
	// only until take returns. Take must not wait, because nothing else is received from the agent meanwhile, and is never
	// called after Call has returned. Call returns take's error, [ErrNotFound], [ErrGone] or the cause of ctx.
	Call(ctx context.Context, id string, encode Encode, take func(*wire.Frame) (last bool, err error)) error

	// Begin sends a request whose answers may come at any time, and outlive the connection: those that the agent sends with
	// the task's id after it has come back are answers too. It returns when the request has been handed to the kernel, which
	// ctx bounds. Take is called as by Call, also before Begin has returned, but says only whether the answer was the last.
	// End, which the caller must call, has take called no more, but waits for no call that runs; it may be called in take, and
	// twice.
	// Nobody tells when the agent is gone for good: see [Fleet.Get].
	Begin(ctx context.Context, id string, encode Encode, take func(*wire.Frame) (last bool)) (end func(), err error)

	// Send sends a message that has no answer. It returns when the message has been handed to the kernel.
	Send(ctx context.Context, id string, encode Encode) error
}

// Encode appends a frame that carries the given task id to b.
type Encode func(b []byte, task string) ([]byte, error)

// Call asks an agent and returns its answer. It fails as [Fleet.Call] does, with an [*AgentError] if the agent answered
// with an error, with a [*ReplyTypeError] if it answered with something else, and with an error of package wire if the
// answer's payload is not what was declared.
//
// A function given to [Receive] must not call the agent that it was called for: the answer would wait behind it.
func Call[Q, R any](ctx context.Context, f Fleet, id string, c wire.Call[Q, R], q Q) (R, error) {
	var r R
	err := f.Call(asQuery(ctx, c.Request.Has(wire.Query)), id,
		func(b []byte, task string) ([]byte, error) { return c.Request.Append(b, task, &q) },
		func(f *wire.Frame) (last bool, err error) {
			if err := CheckReply(f, c.Reply.Type()); err != nil {
				return true, err
			}
			r, err = c.Reply.Decode(f)
			return true, err
		})
	if err != nil {
		var none R
		return none, fmt.Errorf("%s of agent %q: %w", c.Request.Name(), id, err)
	}
	return r, nil
}

// CheckReply says why a frame is not an answer of this type.
func CheckReply(f *wire.Frame, want wire.Type) error {
	switch f.Type {
	case want:
		return nil
	case wire.ErrorType:
		return &AgentError{Text: clip(f.Error, maxErrorText)}
	}
	return &ReplyTypeError{Want: want, Got: f.Type}
}

// Send sends a message to an agent and waits for no answer. An answer can be had with [Receive].
func Send[T any](ctx context.Context, f Fleet, id string, m *wire.Message[T], v T) error {
	err := f.Send(asQuery(ctx, m.Has(wire.Query)), id, func(b []byte, task string) ([]byte, error) { return m.Append(b, task, &v) })
	if err != nil {
		return fmt.Errorf("%s to agent %q: %w", m.Name(), id, err)
	}
	return nil
}
