package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// answer is that of a call whose agent has refused.
func (e *AgentError) answer() *rest.Error {
	status := http.StatusServiceUnavailable
	switch e.Why {
	case wire.WhyPolicy:
		status = http.StatusForbidden
	case wire.WhyChecksum, wire.WhyChanged:
		status = http.StatusConflict
	}
	return &rest.Error{Code: status, Msg: e.Text, Why: e.Why}
}

// Answer turns the error of reaching an agent into the answer of a call, in the words of the field where it has some. It
// is nil for nil, and an error that wraps a [*rest.Error] is that.
func Answer(err error) error {
	var (
		ready *rest.Error
		kind  *AgentTypeError
		agent *AgentError
		wrong *ReplyTypeError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ready):
		return ready
	case errors.Is(err, ErrPlaintext):
		return rest.Errorf(http.StatusForbidden, "%v", ErrPlaintext)
	case errors.Is(err, ErrAudit):
		return rest.Errorf(http.StatusServiceUnavailable, "%v", ErrAudit)
	case errors.Is(err, ErrNotFound):
		return rest.Errorf(http.StatusNotFound, "not found: agent")
	case errors.As(err, &kind):
		return rest.Errorf(http.StatusFailedDependency, "%v", kind)
	case errors.Is(err, ErrGone):
		return rest.Errorf(http.StatusGone, "%v", ErrGone)
	case errors.Is(err, context.DeadlineExceeded):
		return rest.Errorf(http.StatusGatewayTimeout, "timeout")
	case errors.Is(err, ErrStopped), errors.Is(err, context.Canceled):
		return rest.Errorf(http.StatusServiceUnavailable, "%v", ErrStopped)
	case errors.As(err, &agent):
		return agent.answer()
	case errors.Is(err, errChecksum):
		return rest.Errorf(http.StatusConflict, "%v", errChecksum)
	case errors.Is(err, errBusy):
		return rest.Errorf(http.StatusServiceUnavailable, "%v", errBusy)
	case errors.As(err, &wrong):
		return rest.Errorf(http.StatusInternalServerError, "invalid message type: %s", strconv.Itoa(int(wrong.Got)))
	default:
		return rest.Errorf(http.StatusInternalServerError, "%v", err)
	}
}
