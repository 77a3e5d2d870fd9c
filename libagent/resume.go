package libagent

import (
	"context"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
)

// Resume gives the task of a request that a former run of the agent was asked, so that its end can be told: an app that
// notes its tasks on disk finds them there at its next start. Whoever has the task closes it.
func Resume(ag *Agent, id, name string) (*Task, error) {
	return ag.newTask(ag.work.ctx, id, name, time.Now())
}

// newTask makes a task that counts as running until it is closed.
func (ag *Agent) newTask(ctx context.Context, id, name string, came time.Time) (*Task, error) {
	if !ag.work.hold(name) {
		return nil, ErrStopping
	}
	t := &Task{ag: ag, id: id, name: name, came: came, closed: make(chan struct{})}
	t.ctx, t.end = context.WithCancel(ctx)
	return t, nil
}

// NewGroup makes a group for children within the limits of the agent, as [limit.Applied.NewGroup] does. Groups that are open
// when the agent has stopped are closed, which kills what is in them.
func (ag *Agent) NewGroup(c limit.GroupConfig) (*limit.Group, error) { return ag.applied.NewGroup(c) }
