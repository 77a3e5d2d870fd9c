package libagent

import (
	"context"

	"github.com/jkstack/jkframe/v2/internal/daemon"
	"github.com/spf13/cobra"
)

func (c Command) runCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the agent until it is told to stop",
		Long: "Run the agent until it is told to stop: by SIGTERM or SIGINT, or by the service manager. SIGHUP has it read its config file\n" +
			"and open its log files again, SIGQUIT writes the stacks of all goroutines into its log and ends it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(daemon.Run(cmd.Context(), file, func(ctx context.Context, file string) error {
				return Run(ctx, c.App, &Options{ConfigFile: file, Reload: c.Reload, Watch: true, attach: attach})
			}))
		},
	}
	withConf(cmd, &file)
	return cmd
}

// attach gives an agent what the process has once: the file of its crash, and SIGQUIT.
func attach(ag *Agent) (detach func()) {
	endCrashes, endQuit := ag.watchCrashes(), ag.watchQuit()
	return func() {
		endQuit()
		endCrashes()
	}
}
