package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/rest"
)

type auditInput struct {
	Before uint64    `query:"before" doc:"only lines with a smaller number: next of the page before" example:"1000"`
	Size   int       `query:"size" minimum:"1" maximum:"1000" default:"100" doc:"lines on a page"`
	Event  string    `query:"event" doc:"only lines of this event" example:"order"`
	Actor  string    `query:"actor" doc:"only what this token had done"`
	Target string    `query:"target" doc:"only what was done to this agent"`
	Since  time.Time `query:"since" doc:"only lines that are not older" example:"2026-11-20T10:00:00Z"`
}

// auditPage is a page of the audit log.
type auditPage struct {
	Lines []audit.Entry `json:"lines" nullable:"false" doc:"the newest first"`
	Next  uint64        `json:"next" doc:"before of the next page, 0 at the end"`
}

func (h *Host) registerAudit() {
	Register(h, RoleAdmin, huma.Operation{
		OperationID: "audit", Method: http.MethodGet, Path: "/api/audit",
		Summary: "Who did what", Errors: []int{http.StatusBadRequest},
	}, func(ctx context.Context, in *auditInput) (*rest.Body[rest.Payload[auditPage]], error) {
		if p, _ := PrincipalOf(ctx); p.bound() {
			return nil, rest.Errorf(http.StatusForbidden, "the audit log is of all agents, and this token is for some")
		}
		if err := h.s.audit.Flush(); err != nil {
			return nil, err
		}
		lines, next, err := audit.Read(h.s.cfg.auditDir(), audit.Query{
			Before: in.Before, Event: in.Event, Actor: in.Actor, Target: in.Target, Since: in.Since, Limit: in.Size,
		})
		if err != nil {
			return nil, err
		}
		if lines == nil {
			lines = []audit.Entry{}
		}
		return rest.OK(auditPage{lines, next}), nil
	})
}
