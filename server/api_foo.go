package server

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/wire"
)

// fooType is the type of the agents that answer foo.
const fooType = "example-agent"

func (a *api) registerFoo(h huma.API) {
	huma.Register(h, huma.Operation{
		OperationID: "foo", Method: http.MethodGet, Path: "/api/foo/{id}",
		Summary: "Ask an example agent for a sign of life",
		Responses: failures(h, http.StatusNotFound, http.StatusGone, http.StatusFailedDependency,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout),
	}, func(ctx context.Context, in *agentInput) (*body[done], error) {
		if err := a.expect(ctx, in.ID, fooType); err != nil {
			return nil, answerTo(err)
		}
		ctx, cancel := context.WithTimeout(ctx, a.timeout)
		defer cancel()
		if _, err := Call(ctx, a.fleet, in.ID, wire.Foo, wire.Empty{}); err != nil {
			return nil, answerTo(err)
		}
		return &body[done]{}, nil
	})
}

// expect makes sure that an agent is connected and of a type.
func (a *api) expect(ctx context.Context, id, kind string) error {
	ag, err := a.fleet.Get(ctx, id)
	if err == nil && ag.Name != kind {
		err = &errAgentType{want: kind, got: ag.Name}
	}
	return err
}
