package layout

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/form"
	"github.com/jkstack/jkframe/v2/server/rest"
)

type taskInput struct {
	Task string `path:"task" doc:"id of the layout, as run answered"`
}

// stateView is how a layout stands in the answers of the API.
type stateView struct {
	Begin int64      `json:"begin" doc:"Unix seconds"`
	End   int64      `json:"end" doc:"Unix seconds, 0 while it runs"`
	Done  bool       `json:"done" doc:"all nodes have ended, or will not begin"`
	Index int        `json:"index" doc:"the group that is at work, or was the last, from 1 on"`
	Nodes []nodeView `json:"nodes" nullable:"false"`
}

type nodeView struct {
	ID     string `json:"id"`
	Begin  int64  `json:"begin" doc:"Unix seconds, 0 before it"`
	End    int64  `json:"end" doc:"Unix seconds, 0 before it"`
	Status string `json:"status" enum:"waiting,running,done,failed,skipped,cancelled"`
	Err    string `json:"err" doc:"why it has failed"`
}

func viewOf(s State) stateView {
	v := stateView{Begin: unix(s.Begin), End: unix(s.End), Done: s.Done, Index: s.Index, Nodes: make([]nodeView, len(s.Nodes))}
	for i, n := range s.Nodes {
		v.Nodes[i] = nodeView{ID: n.ID, Begin: unix(n.Begin), End: unix(n.End), Status: string(n.Status), Err: n.Err}
	}
	return v
}

// unix is a time in the answers of the API: 0 for none.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func (l *Layouts) routes(h *server.Host) {
	server.RegisterRaw(h, server.RoleOperate, huma.Operation{
		OperationID: "layout-run", Method: http.MethodPost, Path: "/api/layout/run", Summary: "Run a script on many agents, in groups",
		RequestBody: rest.Form(append(exec.ScriptFields(),
			rest.Field{Name: "ids", Type: "string", Doc: "ids of agents; once for each", Many: true, Required: true},
			rest.Field{Name: "group", Type: "integer", Doc: "the group of each agent, in the same order; small ones come first", Many: true, Required: true},
			rest.Field{Name: "onerror", Type: "string", Doc: "exit, the default: no further group after one in which a node has failed; continue"},
		)...),
		Responses: rest.JSON[string](h.API()),
		Errors: []int{
			http.StatusBadRequest, http.StatusNotFound, http.StatusFailedDependency, http.StatusRequestEntityTooLarge,
			http.StatusServiceUnavailable,
		},
	}, l.serveRun)
	server.Register(h, server.RoleRead, huma.Operation{
		OperationID: "layout-status", Method: http.MethodGet, Path: "/api/layout/{task}", Summary: "How a layout stands",
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *taskInput) (*rest.Body[rest.Payload[stateView]], error) {
		r, err := l.Find(ctx, in.Task)
		if err != nil {
			return nil, err
		}
		return rest.OK(viewOf(r.State())), nil
	})
	server.Register(h, server.RoleOperate, huma.Operation{
		OperationID: "layout-cancel", Method: http.MethodDelete, Path: "/api/layout/{task}", Summary: "End a layout",
		Errors: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *taskInput) (*rest.Body[rest.Done], error) {
		r, err := l.Find(ctx, in.Task)
		if err != nil {
			return nil, err
		}
		r.Cancel()
		return &rest.Body[rest.Done]{}, nil
	})
}

func (l *Layouts) serveRun(w http.ResponseWriter, r *http.Request, _ *struct{}) error {
	v, err := form.Read(w, r, l.files.Store())
	if err != nil {
		return err
	}
	release := v.Close
	defer func() { release() }()
	plan, err := l.readPlan(r, v)
	if err != nil {
		return err
	}
	plan.After = v.Close
	run, err := l.Start(r.Context(), plan)
	if err != nil {
		return err
	}
	release = func() {} // it is the run's now
	rest.WriteJSON(w, http.StatusOK, rest.Payload[string]{Payload: run.ID})
	return nil
}

// readPlan makes a plan of a form.
func (l *Layouts) readPlan(r *http.Request, v *form.Form) (p Plan, err error) {
	for _, name := range []string{"ids", "group"} {
		if _, err := v.Need(name); err != nil {
			return p, err
		}
	}
	p.Order = v.Values["ids"]
	if p.Groups, err = groups(p.Order, v.Values["group"]); err != nil {
		return p, err
	}
	switch text := cmp.Or(v.Get("onerror"), "exit"); text {
	case "exit":
	case "continue":
		p.Continue = true
	default:
		return p, form.Bad("onerror:%q is neither exit nor continue", text)
	}
	s, err := exec.ReadScript(v)
	if err != nil {
		return p, err
	}
	if s.Pass != "" && !server.Confidential(r) {
		return p, server.ErrPlaintext
	}
	if _, err := s.Content.MD5(); err != nil { // once, before it is asked for side by side
		return p, err
	}
	p.Do = func(ctx context.Context, id string) error { return l.commands.RunScript(ctx, id, s) }
	p.Agents, err = l.Agents(r.Context(), p.Order)
	return p, err
}

// groups puts each agent into its group.
func groups(ids, numbers []string) ([][]string, error) {
	by := make(map[int64][]string)
	seen := make(map[string]bool)
	for i, text := range numbers {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return nil, form.Bad("group: %v", err)
		case len(ids) != len(numbers):
			return nil, form.Bad("invalid ids count and group count")
		case seen[ids[i]]:
			return nil, form.Bad("ids: %q is there twice", ids[i])
		}
		seen[ids[i]] = true
		by[n] = append(by[n], ids[i])
	}
	var all [][]string
	for _, n := range slices.Sorted(maps.Keys(by)) {
		all = append(all, by[n])
	}
	return all, nil
}
