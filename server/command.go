package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/jkstack/jkframe/v2/internal/build"
	"github.com/jkstack/jkframe/v2/internal/daemon"
	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/logging"
	"github.com/spf13/cobra"
)

// Exit codes of [Command], which are those of agents too.
const (
	ExitOK           = daemon.ExitOK
	ExitFailed       = daemon.ExitFailed       // a command failed, the server could not start or broke down, the config cannot be used
	ExitUsage        = daemon.ExitUsage        // the command line is wrong
	ExitNotRunning   = daemon.ExitNotRunning   // status: the server does not run
	ExitNotInstalled = daemon.ExitNotInstalled // uninstall, start, stop, restart: there is no such service
)

// program is the name of the server's program, and of its service.
const program = "agent-server"

// defaultConfig is the config file of a server that was told nothing.
const defaultConfig = "conf/server.conf"

// Command is the command line agent-server.
type Command struct {
	Version        string    // of the program
	Features       []Feature // parts of the server that live in packages of their own
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// usageError is a mistake of whoever typed the command.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Main runs the command with the arguments that follow its name, and returns its exit code. The command "run" goes on
// until ctx ends.
func (c Command) Main(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetIn(c.Stdin)
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	fmt.Fprintf(c.Stderr, program+": %s\n", explain(err))
	if usage := (usageError{}); errors.As(err, &usage) {
		return ExitUsage
	}
	return daemon.ExitCode(err)
}

// explain shows errors of a config file with their lines.
func explain(err error) string {
	if all := (kvconf.Errors)(nil); errors.As(err, &all) {
		return "read config:\n" + all.Detail()
	}
	return err.Error()
}

func (c Command) root() *cobra.Command {
	root := &cobra.Command{
		Use:           program,
		Short:         "Keep the connections of a fleet of agents, and give people and programs access to them",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	run := &cobra.Command{
		Use:   "run",
		Short: "Run the server until it is told to stop (SIGINT, SIGTERM)",
		Args:  noArgs,
	}
	check := &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with the config file",
		Args:  noArgs,
	}
	for _, sub := range []*cobra.Command{run, check} {
		sub.Flags().StringP("conf", "c", defaultConfig, "config file")
	}
	run.RunE = func(cmd *cobra.Command, _ []string) error { return daemon.Run(cmd.Context(), confOf(cmd), c.run) }
	check.RunE = func(cmd *cobra.Command, _ []string) error { return c.check(confOf(cmd)) }
	root.AddCommand(run, check, c.tokenCommand(), c.agentCommand(), c.auditCommand(), c.caCommand(), c.versionCommand())
	root.AddCommand(c.serviceCommands()...)
	return root
}

func (c Command) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			b := build.Of(program, c.Version)
			if !asJSON {
				b.Print(c.Stdout)
				return nil
			}
			e := json.NewEncoder(c.Stdout)
			e.SetIndent("", "  ")
			return e.Encode(b)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON, with commit and date")
	return cmd
}

func confOf(cmd *cobra.Command) string { return cmd.Flag("conf").Value.String() }

func noArgs(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return usageError{err}
	}
	return nil
}

// check reports everything that is wrong with a config file.
func (c Command) check(file string) error {
	if _, err := LoadConfig(file, c.Features...); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s: ok\n", file)
	return nil
}

// run serves until ctx ends.
func (c Command) run(ctx context.Context, file string) error {
	cfg, findings, err := load(file, true, c.Features)
	if err != nil {
		return err
	}
	cfg.Log.Name, cfg.Log.Stdout, cfg.Log.Stderr = program, c.Stdout, c.Stderr
	logs, err := logging.Open(cfg.Log)
	if err != nil {
		return err
	}
	defer logs.Close()
	defer logs.LogPanic()
	log := logs.Logger()
	for _, f := range findings {
		log.Warn("config", "err", f.Error())
	}
	cfg.Logger, cfg.Version = log, c.Version
	if err := serve(ctx, cfg); err != nil {
		if slices.Contains(cfg.Log.Target, logging.TargetFile) { // whoever looks there has not seen standard error
			log.Error("server failed", errAttr(err))
		}
		return err
	}
	log.Info("server stopped")
	return nil
}

// serve runs a server until ctx ends.
func serve(ctx context.Context, cfg Config) error {
	srv, err := New(cfg)
	if err != nil {
		return err
	}
	if err := srv.Listen(); err != nil {
		return err
	}
	var tidying sync.WaitGroup
	tidy, stop := context.WithCancel(ctx)
	tidying.Go(func() { srv.tidyMemory(tidy) })
	err = srv.Run(ctx)
	stop()
	tidying.Wait()
	return err
}
