package files

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

var (
	// ErrChecksum means that what came is not what was announced.
	ErrChecksum = rest.Errorf(http.StatusConflict, "invalid checksum")

	// ErrBusy means that too many files are on their way.
	ErrBusy = rest.Errorf(http.StatusServiceUnavailable, "too many transfers at the same time")

	// ErrStalled means that an agent has stopped sending a file.
	ErrStalled = rest.Errorf(http.StatusGatewayTimeout, "nothing came for %v", patience)

	// errRange is a part of a file that is not there.
	errRange = errors.New("range not satisfiable")
)

// AgentError is an agent's answer that it could not do what was asked.
type AgentError struct {
	Msg string // in the agent's words
	Why string // one of wire.Why…, "" from an agent of the field
}

func (e *AgentError) Error() string { return e.Msg }

// As gives the error as the answer of a call.
func (e *AgentError) As(target any) bool {
	answer, ok := target.(**rest.Error)
	if ok {
		status := http.StatusServiceUnavailable
		switch e.Why {
		case wire.WhyPolicy:
			status = http.StatusForbidden
		case wire.WhyChecksum, wire.WhyChanged:
			status = http.StatusConflict
		}
		*answer = &rest.Error{Code: status, Msg: e.Msg, Why: e.Why}
	}
	return ok
}

// badData is what an agent sent that is no part of the file.
func badData(format string, args ...any) error {
	return rest.Errorf(http.StatusInternalServerError, "invalid data: %s", fmt.Sprintf(format, args...))
}

// maxText is how much of an agent's text is kept, in bytes.
const maxText = 4096

func clip(s string) string { return s[:min(len(s), maxText)] }
