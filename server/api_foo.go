package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// fooType is the type of the agents that answer foo.
const fooType = "example-agent"

func (h *Host) registerFoo() {
	Register(h, RoleRead, huma.Operation{
		OperationID: "foo", Method: http.MethodGet, Path: "/api/foo/{id}",
		Summary: "Ask an example agent for a sign of life",
		Errors: []int{
			http.StatusNotFound, http.StatusGone, http.StatusFailedDependency,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		},
	}, func(ctx context.Context, in *agentInput) (*rest.Body[rest.Done], error) {
		if _, err := Expect(ctx, h.Fleet(), in.ID, fooType); err != nil {
			return nil, err
		}
		if _, err := Call(ctx, h.Fleet(), in.ID, wire.Foo, wire.Empty{}); err != nil {
			return nil, err
		}
		return &rest.Body[rest.Done]{}, nil
	})
}
