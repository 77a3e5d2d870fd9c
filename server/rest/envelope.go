package rest

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Done is the answer of a call that worked and has nothing to say.
type Done struct {
	Code int `json:"code" doc:"0: it worked"`
}

// Payload is the answer of a call that worked.
type Payload[T any] struct {
	Code    int `json:"code" doc:"0: it worked"`
	Payload T   `json:"payload" nullable:"false"`
}

// Body is what huma wants a handler to return.
type Body[T any] struct{ Body T }

// OK is the answer of a handler that has something to say.
func OK[T any](v T) *Body[Payload[T]] { return &Body[Payload[T]]{Body: Payload[T]{Payload: v}} }

// Error is the answer of a call that did not work. The code is also the HTTP status.
type Error struct {
	Code int    `json:"code" doc:"the HTTP status" example:"404"`
	Msg  string `json:"msg" doc:"what is wrong" example:"not found: agent"`
	Why  string `json:"why,omitempty" doc:"the same in one word, from agents of this project" example:"not_found"`
}

var _ huma.StatusError = (*Error)(nil)

// Errorf makes an error of a status and a text.
func Errorf(status int, format string, args ...any) *Error {
	return &Error{Code: status, Msg: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *Error) Error() string { return e.Msg }

// GetStatus implements [huma.StatusError].
func (e *Error) GetStatus() int { return e.Code }

// Write answers a request outside of huma.
func (e *Error) Write(w http.ResponseWriter) { WriteJSON(w, e.Code, e) }

// WriteJSON answers a request outside of huma.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"code":500,"msg":"internal error"}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(append(b, '\n'))
}

const contentType = "application/json; charset=utf-8"
