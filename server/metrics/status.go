package metrics

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/rest"
	"github.com/jkstack/jkframe/v2/wire"
)

// atOnce is how many agents are told something at the same time.
const atOnce = 64

type (
	statusView struct {
		Jobs        []jobView `json:"jobs" nullable:"false"`
		Connections []string  `json:"allow_conns" nullable:"false" doc:"kinds of connections that the agent shows"`
	}
	jobView struct {
		Name     string  `json:"name" example:"usage"`
		Interval float64 `json:"interval" doc:"seconds"`
	}
	changeInput struct {
		ID   string `path:"id" doc:"id of the agent"`
		Body struct {
			Jobs []string `json:"jobs,omitempty" maxItems:"16" doc:"what is collected from now on: static, usage, process, conns, temps; what an agent does not know is ignored"`
		}
	}
	batchInput struct {
		Body struct {
			Start bool   `json:"start,omitempty" doc:"collect everything, or nothing"`
			OS    string `json:"os,omitempty" doc:"only on this system: linux or windows"`
		}
	}
	batchView struct {
		Total   int `json:"total"`
		Success int `json:"success" doc:"agents that were told"`
		Failure int `json:"failure"`
	}
)

// allJobs are what an agent can be told to collect.
func allJobs() []string {
	return []string{wire.JobStatic, wire.JobUsage, wire.JobProcesses, wire.JobConnections, wire.JobTemperatures}
}

// registerStatus registers the calls that say what agents collect by themselves.
func registerStatus(h *server.Host) {
	server.Register(h, server.RoleRead, operation("metrics-status", http.MethodGet, "/api/metrics/{id}/status", "What an agent collects by itself"),
		func(ctx context.Context, in *agentInput) (*rest.Body[rest.Payload[statusView]], error) {
			r, err := call(ctx, h, in.ID, wire.CollectStatus, wire.Empty{})
			return rest.OK(statusView{
				each(r.Jobs, func(j wire.CollectJob) jobView { return jobView{j.Name, j.Interval.Seconds()} }),
				each(r.Connections, same),
			}), err
		})
	server.Register(h, server.RoleOperate, operation("change-metrics-status", http.MethodPut, "/api/metrics/{id}/status", "Say what an agent is to collect by itself"),
		func(ctx context.Context, in *changeInput) (*rest.Body[rest.Done], error) {
			if _, err := server.Expect(ctx, h.Fleet(), in.ID, agentType); err != nil {
				return nil, err
			}
			return &rest.Body[rest.Done]{}, change(ctx, h, in.ID, in.Body.Jobs)
		})
	server.Register(h, server.RoleOperate, operation("change-all-metrics-status", http.MethodPut, "/api/metrics/status", "Have all agents collect everything, or nothing"),
		func(ctx context.Context, in *batchInput) (*rest.Body[rest.Payload[batchView]], error) {
			agents, err := h.Fleet().List(ctx, server.Filter{Type: agentType, OS: in.Body.OS})
			if err != nil {
				return nil, err
			}
			var jobs []string
			if in.Body.Start {
				jobs = allJobs()
			}
			told := changeAll(ctx, h, agents, jobs)
			return rest.OK(batchView{len(agents), told, len(agents) - told}), nil
		})
}

// change tells an agent what to collect. An agent gives no answer to that.
func change(ctx context.Context, h *server.Host, id string, jobs []string) error {
	ctx, cancel := context.WithTimeout(ctx, min(h.Timeout(), 10*time.Second))
	defer cancel()
	return server.Send(ctx, h.Fleet(), id, wire.ChangeCollect, wire.ChangeCollectPayload{Jobs: jobs})
}

// changeAll tells agents side by side, so that one that takes nothing holds up few others, and returns how many were told.
func changeAll(ctx context.Context, h *server.Host, agents []server.Agent, jobs []string) int {
	var told, next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(agents), atOnce) {
		workers.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(agents) || ctx.Err() != nil {
					return
				}
				if change(ctx, h, agents[i].ID, jobs) == nil {
					told.Add(1)
				}
			}
		})
	}
	workers.Wait()
	return int(told.Load())
}
