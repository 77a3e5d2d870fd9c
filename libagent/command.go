package libagent

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jkstack/jkframe/v2/internal/daemon"
	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/spf13/cobra"
)

// defaultConfigFile is where an agent's config is, seen from its folder.
const defaultConfigFile = "conf/agent.conf"

// Command is the command line of an agent, as a test calls it.
type Command struct {
	App            App
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Reload         <-chan struct{} // as in Options
}

// failure is an error of a command that was understood.
type failure struct {
	err  error
	code int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Main runs a command and returns the exit code.
func (c Command) Main(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var f *failure
	switch {
	case err == nil:
		return daemon.ExitOK
	case errors.As(err, &f):
		fmt.Fprintf(c.Stderr, "%s: %s\n", c.App.Name(), describe(f.err))
		return f.code
	}
	fmt.Fprintf(c.Stderr, "%s: %v\nTry '%s --help'.\n", c.App.Name(), err, c.App.Name())
	return daemon.ExitUsage
}

// describe shows the errors of a config file with their lines.
func describe(err error) string {
	var many kvconf.Errors
	if errors.As(err, &many) {
		return "config cannot be used\n" + many.Detail()
	}
	var one *kvconf.Error
	if errors.As(err, &one) {
		return "config cannot be used\n" + one.Detail()
	}
	return err.Error()
}

func (c Command) root() *cobra.Command {
	root := &cobra.Command{
		Use:           c.App.Name(),
		Short:         fmt.Sprintf("%s %s, a host agent", c.App.Name(), c.App.Version()),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(c.Stdin)
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	root.AddGroup(
		&cobra.Group{ID: groupAgent, Title: "The agent:"},
		&cobra.Group{ID: groupService, Title: "As a service of this host:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
			if cmd.Args == nil {
				cmd.Args = noArgs
			}
			root.AddCommand(cmd)
		}
	}
	add(groupAgent, c.runCommand(), c.checkCommand(), c.configCommand(), c.statusCommand(), c.logsCommand(), c.enrollCommand(), c.versionCommand())
	for _, cmd := range c.service().Commands() {
		asFailures(cmd)
		add(groupService, cmd)
	}
	if a, ok := c.App.(Commander); ok {
		var file string
		for _, cmd := range a.Commands(&file) {
			cmd.PersistentFlags().StringVarP(&file, "conf", "c", defaultConfigFile, "config file")
			asFailures(cmd)
			add(groupAgent, cmd)
		}
	}
	return root
}

// asFailures has errors of a command, and of those below it, told apart from a command line that is wrong.
func asFailures(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error { return failed(run(cmd, args)) }
	}
	for _, sub := range cmd.Commands() {
		if sub.Args == nil {
			sub.Args = noArgs
		}
		asFailures(sub)
	}
}

// Groups of commands in the help.
const (
	groupAgent   = "agent"
	groupService = "service"
)

// withConf gives a command the flag for the config file.
func withConf(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "conf", "c", defaultConfigFile, "config file")
}

// noArgs refuses arguments with what was probably meant.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.Flags().Lookup("conf") != nil:
		return fmt.Errorf("%s takes no arguments: use --conf %s", cmd.Name(), args[0])
	}
	return fmt.Errorf("%s takes no arguments", cmd.Name())
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err, daemon.ExitCode(err)}
}
