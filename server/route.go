package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// Role is what a caller of the API must be allowed to do for a call. A larger one includes the smaller ones.
type Role int

// The roles.
const (
	RoleRead    Role = iota + 1 // sees: agents, status, metrics
	RoleOperate                 // has agents do something: run, upload, download
	RoleAdmin                   // decides who may do what
)

// roleNamed returns the role with this name.
func roleNamed(name string) (Role, bool) {
	for _, r := range []Role{RoleRead, RoleOperate, RoleAdmin} {
		if r.String() == name {
			return r, true
		}
	}
	return 0, false
}

func (r Role) String() string {
	switch r {
	case RoleRead:
		return "read"
	case RoleOperate:
		return "operate"
	case RoleAdmin:
		return "admin"
	}
	return fmt.Sprintf("role %d", int(r))
}

// Register adds a call to the API, which is described from the types of its input and output, see package huma. Handler
// may return any error: one of reaching an agent is answered as [Answer] says. The statuses of those that it returns are
// in op.Errors; 401, 403 and 500 are added.
func Register[I, O any](h *Host, role Role, op huma.Operation, handler func(context.Context, *I) (*O, error)) {
	api := h.s.api
	responses := rest.Failures(api.huma, op.Errors...)
	maps.Copy(responses, op.Responses)
	op.Responses, op.Errors = responses, nil
	api.registering = role
	huma.Register(api.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		return out, Answer(err)
	})
	api.registering = 0
	api.bodies[op.Method+" "+op.Path] = bodyTypes(api.huma.OpenAPI(), op)
}

// bodyTypes are the content types that a call takes: JSON, unless it was declared with others.
func bodyTypes(spec *huma.OpenAPI, op huma.Operation) []string {
	item := spec.Paths[op.Path]
	if item == nil {
		return []string{"application/json"}
	}
	for _, o := range []*huma.Operation{item.Post, item.Put, item.Patch, item.Delete} {
		if o != nil && o.Method == op.Method && o.RequestBody != nil {
			return slices.Sorted(maps.Keys(o.RequestBody.Content))
		}
	}
	return []string{"application/json"}
}

// RegisterRaw adds a call to the API that reads the request's body and writes its answer itself, and may take as long as it
// needs: nothing of it has a deadline unless the handler sets one. An error is answered as [Answer] says, so nothing may have
// been written then. What is in op.Responses is the description of a good answer, see [rest.JSON] and [rest.Binary].
func RegisterRaw[I any](h *Host, role Role, op huma.Operation, handler func(w http.ResponseWriter, r *http.Request, in *I) error) {
	body := op.RequestBody // huma would read what it knows to be described
	op.RequestBody = nil
	defer h.s.api.describeBody(op, body)
	Register(h, role, op, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
		return rest.Raw(func(w http.ResponseWriter, r *http.Request) {
			Unhurried(w)
			if err := handler(w, r, in); err != nil {
				Fail(w, err)
			}
		}), nil
	})
}

// describeBody adds the description of a body that the handler of a registered call reads.
func (a *api) describeBody(op huma.Operation, body *huma.RequestBody) {
	if body == nil {
		return
	}
	p := a.huma.OpenAPI().Paths[op.Path]
	for _, o := range []*huma.Operation{p.Post, p.Put} {
		if o != nil && o.Method == op.Method {
			o.RequestBody = body
		}
	}
	a.bodies[op.Method+" "+op.Path] = slices.Sorted(maps.Keys(body.Content))
}

// Unhurried takes the deadlines off an answer, which are made for short ones.
func Unhurried(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // where they cannot be moved, they hold
	_ = rc.SetWriteDeadline(time.Time{})
}

// API is the API that calls are registered with, for what describes them.
func (h *Host) API() huma.API { return h.s.api.huma }

// Handle adds a call to the API that answers as it likes, and is not described. Patterns are those of [http.ServeMux].
func (h *Host) Handle(role Role, pattern string, f http.HandlerFunc) {
	h.s.api.handle(role, pattern, f)
}

// OnlyOrders says of calls of the API, by their patterns, that all they have done is in orders to agents, which they give in the
// context of the request. The line of such a call in the audit log, which otherwise is on the disk before the call begins, then goes there with that
// of its first order.
func (h *Host) OnlyOrders(patterns ...string) {
	for _, p := range patterns {
		h.s.api.ordering[p] = true
	}
}

// Fail answers a request outside of huma with what [Answer] makes of the error.
func Fail(w http.ResponseWriter, err error) {
	e := (*rest.Error)(nil)
	errors.As(Answer(err), &e)
	e.Write(w)
}

// Expect makes sure that an agent is connected and of a type. The error is [ErrNotFound] or an [*AgentTypeError].
func Expect(ctx context.Context, f Fleet, id, kind string) (Agent, error) {
	a, err := f.Get(ctx, id)
	if err == nil && a.Name != kind {
		err = &AgentTypeError{Want: kind, Got: a.Name}
	}
	return a, err
}
