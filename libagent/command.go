package libagent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

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

// Exit codes.
const (
	exitOK = iota
	exitFailed
	exitUsage
)

// failure is an error of a command that was understood.
type failure struct{ err error }

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
		return exitOK
	case errors.As(err, &f):
		fmt.Fprintf(c.Stderr, "%s: %s\n", c.App.Name(), describe(f.err))
		return exitFailed
	}
	fmt.Fprintf(c.Stderr, "%s: %v\nTry '%s --help'.\n", c.App.Name(), err, c.App.Name())
	return exitUsage
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
	var file string
	withConf := func(cmd *cobra.Command) {
		cmd.Flags().StringVarP(&file, "conf", "c", defaultConfigFile, "config file")
		root.AddCommand(cmd)
	}
	withConf(&cobra.Command{
		Use:   "run",
		Short: "Run the agent until it is told to stop",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return failed(Run(cmd.Context(), c.App, &Options{ConfigFile: file, Reload: c.Reload, attach: attach}))
		},
	})
	withConf(&cobra.Command{
		Use:   "check",
		Short: "Check the config file",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := Check(c.App, file); err != nil {
				return failed(err)
			}
			fmt.Fprintf(c.Stdout, "%s: ok\n", file)
			return nil
		},
	})
	root.AddCommand(&cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		Run: func(*cobra.Command, []string) {
			fmt.Fprintf(c.Stdout, "%s %s %s %s/%s\n", c.App.Name(), c.App.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	})
	return root
}

// attach gives an agent what the process has once: the file of its crash, and SIGQUIT.
func attach(ag *Agent) (detach func()) {
	endCrashes, endQuit := ag.watchCrashes(), ag.watchQuit()
	return func() {
		endQuit()
		endCrashes()
	}
}

// noArgs refuses arguments with what was probably meant.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments: use --conf %s", cmd.Name(), args[0])
	}
	return nil
}

func failed(err error) error {
	if err == nil {
		return nil
	}
	return &failure{err}
}
