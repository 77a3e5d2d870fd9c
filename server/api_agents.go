package server

import (
	"context"
	"math"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// agentView is an agent in the answers of the API.
type agentView struct {
	ID       string `json:"id" example:"host-17"`
	Type     string `json:"type" example:"exec-agent"`
	Version  string `json:"version" example:"1.0.0"`
	IP       string `json:"ip" example:"192.0.2.10"`
	MAC      string `json:"mac" doc:"empty for an agent on the server's own machine"`
	OS       string `json:"os" doc:"linux or windows"`
	Platform string `json:"platform" example:"debian"`
	Arch     string `json:"arch" example:"x86_64"`
	IsBusy   bool   `json:"is_busy" doc:"the agent has not yet taken what is being sent to it"`

	Authenticated bool `json:"authenticated" doc:"a certificate proves id and type; without one they are what the agent says"`
}

func viewOf(a Agent) agentView {
	v := agentView{
		ID: a.ID, Type: a.Name, Version: a.Version, MAC: a.MAC,
		OS: a.OS, Platform: a.Platform, Arch: a.Arch, IsBusy: a.Busy,
		Authenticated: a.Authenticated,
	}
	if len(a.IP) > 0 {
		v.IP = a.IP.String()
	}
	return v
}

type agentsInput struct {
	Type string `query:"type" doc:"only agents of this type" example:"exec-agent"`
	OS   string `query:"os" doc:"only agents on this system: linux or windows"`
	Page int    `query:"page" minimum:"1" default:"1" doc:"page of the list, sorted by id"`
	Size int    `query:"size" minimum:"10" maximum:"10000" default:"20" doc:"agents on a page"`
}

// filter chooses the page.
func (in *agentsInput) filter() Filter {
	f := Filter{Type: in.Type, OS: in.OS, Skip: math.MaxInt, Limit: in.Size}
	if in.Page-1 <= math.MaxInt/in.Size {
		f.Skip = (in.Page - 1) * in.Size
	}
	return f
}

type agentInput struct {
	ID string `path:"id" doc:"id of the agent"`
}

func (h *Host) registerAgents() {
	Register(h, RoleRead, huma.Operation{
		OperationID: "list-agents", Method: http.MethodGet, Path: "/api/agents",
		Summary: "The agents that are connected", Errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *agentsInput) (*rest.Body[rest.Payload[[]agentView]], error) {
		agents, err := h.Fleet().List(ctx, in.filter())
		if err != nil {
			return nil, err
		}
		views := make([]agentView, len(agents))
		for i, ag := range agents {
			views[i] = viewOf(ag)
		}
		return rest.OK(views), nil
	})
	Register(h, RoleRead, huma.Operation{
		OperationID: "get-agent", Method: http.MethodGet, Path: "/api/agents/{id}",
		Summary: "One agent", Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *agentInput) (*rest.Body[rest.Payload[agentView]], error) {
		ag, err := h.Fleet().Get(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		return rest.OK(viewOf(ag)), nil
	})
}
