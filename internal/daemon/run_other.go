//go:build !windows

package daemon

import "context"

// Run runs a program: only services of Windows are programs of another kind.
func Run(ctx context.Context, conf string, run func(ctx context.Context, conf string) error) error {
	return run(ctx, conf)
}
