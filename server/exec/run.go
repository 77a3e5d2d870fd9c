package exec

import (
	"context"
	"fmt"
	"time"

	"github.com/jkstack/jkframe/v2/server"
)

// killTime is how long a kill may take to be sent.
const killTime = 5 * time.Second

// ExitError is the end of a command that was no success.
type ExitError struct{ State }

func (e *ExitError) Error() string {
	switch {
	case e.Running:
		return "the agent is away, and the command may still run"
	case e.Msg != "":
		return e.Msg
	case e.Code == CodeLost:
		return "timeout"
	case e.Why != "":
		return fmt.Sprintf("exit code %d: %s", e.Code, e.Why)
	default:
		return fmt.Sprintf("exit code %d", e.Code)
	}
}

// Run starts a command and waits for its end. It returns nil for the exit code 0, an error of [Commands.Start], an [*ExitError], or the
// cause of ctx: when that ends before, the command is killed; if it is about to begin, once it has.
func (c *Commands) Run(ctx context.Context, agent string, q Request) (*Task, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	t, err := c.Start(context.WithoutCancel(ctx), agent, q)
	if err != nil {
		return nil, err
	}
	if err := c.Wait(ctx, t); err != nil {
		c.abandon(ctx, t)
		return nil, err
	}
	if s := t.State(); s.Running || s.Code != 0 {
		return nil, &ExitError{s}
	}
	return t, nil
}

// RunScript is Run for a script, which is put on the agent's host as by [Commands.StartScript].
func (c *Commands) RunScript(ctx context.Context, agent string, s Script) error {
	q, err := c.putScript(ctx, agent, &s)
	if err != nil {
		return err
	}
	_, err = c.Run(ctx, agent, q)
	return err
}

// abandon kills a command that nobody wants any more. That it cannot be told so is no error: it ends at its timeout.
func (c *Commands) abandon(ctx context.Context, t *Task) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	if s := t.State(); s.Running && server.Sees(ctx, t.Agent) {
		_ = c.Kill(ctx, t.Agent.ID, s.PID)
	}
}
