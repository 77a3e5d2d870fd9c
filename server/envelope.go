package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// done is the answer of a call that worked and has nothing to say.
type done struct {
	Code int `json:"code" doc:"0: it worked"`
}

// payload is the answer of a call that worked.
type payload[T any] struct {
	Code    int `json:"code" doc:"0: it worked"`
	Payload T   `json:"payload" nullable:"false"`
}

// body is what huma wants a handler to return.
type body[T any] struct{ Body T }

// apiError is the answer of a call that did not work. The code is also the HTTP status.
type apiError struct {
	Code int    `json:"code" doc:"the HTTP status" example:"404"`
	Msg  string `json:"msg" doc:"what is wrong" example:"not found: agent"`
}

var _ huma.StatusError = (*apiError)(nil)

// Error implements error.
func (e *apiError) Error() string { return e.Msg }

// GetStatus implements [huma.StatusError].
func (e *apiError) GetStatus() int { return e.Code }

// write answers a request outside of huma.
func (e *apiError) write(w http.ResponseWriter) { writeJSON(w, e.Code, e) }

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"code":500,"msg":"internal error"}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}

const contentType = "application/json; charset=utf-8"

// errAgentType is that an agent is not of the type that a call is for.
type errAgentType struct{ want, got string }

func (e *errAgentType) Error() string {
	return "invalid agent type want [" + e.want + "] got [" + e.got + "]"
}

// answerTo turns the error of reaching an agent into an answer, in the words of the field where it has some.
func answerTo(err error) error {
	var (
		kind  *errAgentType
		agent *AgentError
		wrong *ReplyTypeError
	)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return &apiError{http.StatusNotFound, "not found: agent"}
	case errors.As(err, &kind):
		return &apiError{http.StatusFailedDependency, kind.Error()}
	case errors.Is(err, ErrGone):
		return &apiError{http.StatusGone, ErrGone.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &apiError{http.StatusGatewayTimeout, "timeout"}
	case errors.Is(err, ErrStopped), errors.Is(err, context.Canceled):
		return &apiError{http.StatusServiceUnavailable, ErrStopped.Error()}
	case errors.As(err, &agent):
		return &apiError{http.StatusServiceUnavailable, agent.Text}
	case errors.Is(err, errChecksum):
		return &apiError{http.StatusConflict, errChecksum.Error()}
	case errors.Is(err, errBusy):
		return &apiError{http.StatusServiceUnavailable, errBusy.Error()}
	case errors.As(err, &wrong):
		return &apiError{http.StatusInternalServerError, "invalid message type: " + strconv.Itoa(int(wrong.Got))}
	default:
		return &apiError{http.StatusInternalServerError, err.Error()}
	}
}

// envelopes makes the answers of huma itself look like all others: its way to configure that is a global variable.
func envelopes(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	msg := []string{e.Detail}
	for _, d := range e.Errors {
		msg = append(msg, d.Location+": "+d.Message)
	}
	return &apiError{Code: ourStatus(e.Status), Msg: "bad param: " + strings.Join(msg[min(1, len(e.Errors)):], "; ")}, nil
}

// ourStatus is the status that clients of the field know for a bad parameter.
func ourStatus(status int) int {
	if status == http.StatusUnprocessableEntity {
		return http.StatusBadRequest
	}
	return status
}

// adapter gives huma's answers our status and content type.
type adapter struct{ huma.Adapter }

// Handle implements [huma.Adapter].
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	a.Adapter.Handle(op, func(ctx huma.Context) { handler(answer{ctx}) })
}

// inner has another name than the interface has a method.
type inner = huma.Context

// answer is the context of one request.
type answer struct{ inner }

// SetStatus implements [huma.Context].
func (a answer) SetStatus(code int) { a.inner.SetStatus(ourStatus(code)) }

// SetHeader implements [huma.Context].
func (a answer) SetHeader(name, value string) {
	if name == "Content-Type" {
		value = contentType
	}
	a.inner.SetHeader(name, value)
}

// raw returns the request and where its answer goes, for an answer that is no JSON.
func (a answer) raw() (*http.Request, http.ResponseWriter) { return humago.Unwrap(a.inner) }
