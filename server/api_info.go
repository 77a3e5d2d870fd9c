package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server/rest"
)

// serverInfo is the answer of /api/info/server.
type serverInfo struct {
	ID         string `json:"id" doc:"name of this server"`
	Version    string `json:"version"`
	Agents     int    `json:"agents" doc:"agents that are connected, and that the token may see"`
	IsBlocking bool   `json:"is_blocking" doc:"agents are being told to connect later"`
}

func (s *Server) info(ctx context.Context) serverInfo {
	agents := s.sessions.count()
	if sees := scope(ctx); sees != nil {
		agents = len(s.sessions.list(Filter{}, sees))
	}
	return serverInfo{
		ID:         s.cfg.ID,
		Version:    s.cfg.Version,
		Agents:     agents,
		IsBlocking: s.agents.isDraining() || s.admission.refusing(time.Now()),
	}
}

func (h *Host) registerInfo() {
	Register(h, RoleRead, huma.Operation{
		OperationID: "info-server", Method: http.MethodGet, Path: "/api/info/server",
		Summary: "What this server is and does",
	}, func(ctx context.Context, _ *struct{}) (*rest.Body[rest.Payload[serverInfo]], error) {
		return rest.OK(h.s.info(ctx)), nil
	})
}
