//go:build !windows

package libagent

import "context"

// inService runs the agent: only services of Windows are programs of another kind.
func inService(ctx context.Context, conf string, run func(ctx context.Context, conf string) error) error {
	return run(ctx, conf)
}
