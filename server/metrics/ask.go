package metrics

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

type (
	agentInput struct {
		ID string `path:"id" doc:"id of the agent"`
	}
	processInput struct {
		ID  string `path:"id" doc:"id of the agent"`
		Top string `query:"top" maxLength:"32" example:"10" doc:"how many processes, those that use the CPU most; what is no number means all"`
	}
	connectionsInput struct {
		ID    string   `path:"id" doc:"id of the agent"`
		Kinds []string `query:"kinds,explode" maxItems:"16" doc:"kinds of connections: tcp, tcp4, tcp6, udp, udp4, udp6, unix; none for all that the agent shows"`
	}
	dynamicInput struct {
		ID    string   `path:"id" doc:"id of the agent"`
		Top   string   `query:"top" maxLength:"32" example:"10" doc:"how many processes, those that use the CPU most; what is no number means all"`
		Kinds []string `query:"kinds,explode" maxItems:"16" doc:"kinds of connections: tcp, tcp4, tcp6, udp, udp4, udp6, unix; none for all that the agent shows"`
	}
)

// topOf returns how many processes a request wants, 0 for all. Callers of the field send anything there, and get all.
func topOf(text string) int {
	const most = 100_000
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0
	}
	return n
}

// operation describes a call that asks an agent.
func operation(id, method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		Errors: []int{
			http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusFailedDependency, http.StatusServiceUnavailable,
			http.StatusGatewayTimeout,
		},
	}
}

// call asks an agent, for no longer than a call may take.
func call[Q, R any](ctx context.Context, h *server.Host, id string, c wire.Call[Q, R], q Q) (R, error) {
	if _, err := server.Expect(ctx, h.Fleet(), id, agentType); err != nil {
		var none R
		return none, err
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout())
	defer cancel()
	return server.Call(ctx, h.Fleet(), id, c, q)
}

// registerAsk registers the calls that have an agent look.
func registerAsk(h *server.Host) {
	get := func(id, path, summary string) huma.Operation {
		return operation(id, http.MethodGet, "/api/metrics/{id}/"+path, summary)
	}
	server.Register(h, server.RoleRead, get("metrics-static", "static", "What a host is"),
		func(ctx context.Context, in *agentInput) (*rest.Body[rest.Payload[staticView]], error) {
			r, err := call(ctx, h, in.ID, wire.HostStatic, wire.Empty{})
			return rest.OK(viewOfStatic(r)), err
		})
	server.Register(h, server.RoleRead, get("metrics-dynamic", "dynamic", "What a host does"),
		func(ctx context.Context, in *dynamicInput) (*rest.Body[rest.Payload[dynamicView]], error) {
			r, err := call(ctx, h, in.ID, wire.HostDynamic, wire.HostDynamicRequest{
				Sections: []wire.HostSection{wire.SectionUsage, wire.SectionProcesses, wire.SectionConnections, wire.SectionTemperatures},
				Top:      topOf(in.Top), Connections: in.Kinds,
			})
			return rest.OK(viewOfDynamic(r)), err
		})
	server.Register(h, server.RoleRead, get("metrics-usage", "dynamic/usage", "How much of a host is in use"),
		func(ctx context.Context, in *agentInput) (*rest.Body[rest.Payload[usageView]], error) {
			r, err := call(ctx, h, in.ID, wire.HostDynamic, wire.HostDynamicRequest{Sections: []wire.HostSection{wire.SectionUsage}})
			if err == nil && r.Usage == nil {
				err = rest.Errorf(http.StatusServiceUnavailable, "the agent did not say")
			}
			if err != nil {
				return nil, err
			}
			return rest.OK(viewOfUsage(*r.Usage)), nil
		})
	server.Register(h, server.RoleRead, get("metrics-process", "dynamic/process", "The processes of a host"),
		func(ctx context.Context, in *processInput) (*rest.Body[rest.Payload[[]processView]], error) {
			r, err := call(ctx, h, in.ID, wire.HostDynamic, wire.HostDynamicRequest{
				Sections: []wire.HostSection{wire.SectionProcesses}, Top: topOf(in.Top),
			})
			return rest.OK(each(r.Processes, viewOfProcess)), err
		})
	server.Register(h, server.RoleRead, get("metrics-connections", "dynamic/connections", "The connections of a host"),
		func(ctx context.Context, in *connectionsInput) (*rest.Body[rest.Payload[[]connectionView]], error) {
			r, err := call(ctx, h, in.ID, wire.HostDynamic, wire.HostDynamicRequest{
				Sections: []wire.HostSection{wire.SectionConnections}, Connections: in.Kinds,
			})
			return rest.OK(each(r.Connections, viewOfConnection)), err
		})
	server.Register(h, server.RoleRead, get("metrics-temps", "dynamic/temps", "The temperatures of a host"),
		func(ctx context.Context, in *agentInput) (*rest.Body[rest.Payload[[]temperatureView]], error) {
			r, err := call(ctx, h, in.ID, wire.HostDynamic, wire.HostDynamicRequest{Sections: []wire.HostSection{wire.SectionTemperatures}})
			return rest.OK(each(r.Temperatures, viewOfTemperature)), err
		})
}
