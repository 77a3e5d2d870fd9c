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

// Finish waits for the end of a task, and kills it when ctx ends before. It returns nil for the exit code 0, an [*ExitError], or the
// cause of ctx.
func (c *Commands) Finish(ctx context.Context, t *Task) error {
	if err := c.Wait(ctx, t); err != nil {
		c.abandon(ctx, t)
		return err
	}
	if s := t.State(); s.Running || s.Code != 0 {
		return &ExitError{s}
	}
	return nil
}

// abandon kills a command that nobody wants any more. That it cannot be told so is no error: it ends at its timeout.
func (c *Commands) abandon(ctx context.Context, t *Task) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTime)
	defer cancel()
	if s := t.State(); s.Running && server.Sees(ctx, t.Agent) {
		_ = c.Kill(ctx, t.Agent.ID, s.PID)
	}
}
