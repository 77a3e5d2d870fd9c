package exec

import (
	"errors"
	"net/http"

	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

var (
	// ErrNoTask means that no task of the agent has or had this process.
	ErrNoTask = rest.Errorf(http.StatusNotFound, "not found: pid")

	// ErrBusy means that too many tasks are running.
	ErrBusy = rest.Errorf(http.StatusServiceUnavailable, "too many commands are running")

	// errStopped is the end of tasks when the server stops.
	errStopped = rest.Errorf(http.StatusServiceUnavailable, "server stops")
)

// StartError is an agent's answer that a command could not be started.
type StartError struct {
	Msg string // in the agent's words
	Why string // one of wire.Why…, "" from an agent of the field
}

func (e *StartError) Error() string { return e.Msg }

// As gives the error as the answer of a call.
func (e *StartError) As(target any) bool {
	answer, ok := target.(**rest.Error)
	if ok {
		status := http.StatusServiceUnavailable
		if e.Why == wire.WhyPolicy {
			status = http.StatusForbidden
		}
		*answer = &rest.Error{Code: status, Msg: e.Msg, Why: e.Why}
	}
	return ok
}

// isStart reports whether the agent has refused to start a command.
func isStart(err error) (*StartError, bool) {
	e := (*StartError)(nil)
	ok := errors.As(err, &e)
	return e, ok
}
