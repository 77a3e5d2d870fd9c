package load

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
)

// Command is the command line of load.
type Command struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Main runs a command and returns the exit code.
func (c Command) Main(ctx context.Context, args []string) int {
	root := &cobra.Command{
		Use: "load", Short: "The load of a fleet on an agent-server, and what it costs", SilenceErrors: true, SilenceUsage: true,
	}
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	root.SetArgs(args)
	root.AddCommand(c.bench(), c.soak(), c.metrics(), c.busyHost(), c.worker(), c.peer())
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(c.Stderr, "load:", err)
		return 1
	}
	return 0
}

func (c Command) bench() *cobra.Command {
	var opt Options
	var page, server string
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure the server and its peers, and print the table", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			measure := func(bin string) error {
				opt.Out = c.Stderr
				table, err := Bench(cmd.Context(), bin, opt)
				if err != nil {
					return err
				}
				if page != "" {
					if err := table.WritePage(page, "make bench", time.Now()); err != nil {
						return err
					}
				}
				return table.Write(c.Stdout)
			}
			if server != "" {
				return measure(server)
			}
			return withServer(cmd.Context(), measure)
		},
	}
	cmd.Flags().IntVar(&opt.Agents, "agents", 10_000, "idle agents, and those whose server is killed")
	cmd.Flags().IntVar(&opt.Runs, "runs", 3, "how often each figure is taken")
	cmd.Flags().DurationVar(&opt.For, "for", 5*time.Second, "how long each run of requests and of handshakes takes")
	cmd.Flags().StringSliceVar(&opt.Only, "only", nil, "parts to measure: memory, memory-tls, handshakes, handshakes-tls, requests, messages, restart")
	cmd.Flags().StringVar(&server, "server", "", "agent-server to measure, an absolute path; without it, one is built")
	cmd.Flags().StringVar(&page, "page", "", "page to put the table into")
	return cmd
}

func (c Command) soak() *cobra.Command {
	var opt SoakOptions
	cmd := &cobra.Command{
		Use: "soak", Short: "Keep a fleet busy, kill agents at random, and see that the server stays as it is", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withServer(cmd.Context(), func(bin string) error { return Soak(cmd.Context(), bin, opt, c.Stdout) })
		},
	}
	cmd.Flags().IntVar(&opt.Agents, "agents", 1000, "agents of the fleet")
	cmd.Flags().DurationVar(&opt.For, "for", time.Hour, "how long")
	return cmd
}

func (c Command) metrics() *cobra.Command {
	var opt MetricsOptions
	cmd := &cobra.Command{
		Use: "metrics", Short: "Have a fleet report the usage of its hosts, and see that no report is lost", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withServer(cmd.Context(), func(bin string) error { return Metrics(cmd.Context(), bin, opt, c.Stdout) })
		},
	}
	cmd.Flags().IntVar(&opt.Agents, "agents", 1000, "agents of the fleet")
	cmd.Flags().DurationVar(&opt.Every, "every", 5*time.Second, "time between two reports of an agent")
	cmd.Flags().DurationVar(&opt.For, "for", time.Minute, "how long")
	return cmd
}

func (c Command) busyHost() *cobra.Command {
	var sockets, processes int
	var d time.Duration
	cmd := &cobra.Command{
		Use: "busy-host", Short: "Give this machine many sockets and processes, for metrics-agent to look at", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return BusyHost(cmd.Context(), sockets, processes, d, c.Stdout)
		},
	}
	cmd.Flags().IntVar(&sockets, "sockets", 19_000, "sockets, each an end of a connection")
	cmd.Flags().IntVar(&processes, "processes", 2000, "processes")
	cmd.Flags().DurationVar(&d, "for", 10*time.Minute, "how long")
	return cmd
}

func (c Command) worker() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Short: "Be agents, as the standard input says", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return Work(cmd.Context(), c.Stdin, c.Stdout) },
	}
}

func (c Command) peer() *cobra.Command {
	return &cobra.Command{
		Use: "peer KIND ADDRESS CA-FILE", Short: "Be a server to compare with", Args: cobra.ExactArgs(3), Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error { return Serve(cmd.Context(), args[0], args[1], args[2]) },
	}
}

// withServer builds the agent-server for the time of f.
func withServer(ctx context.Context, f func(bin string) error) error {
	dir, err := os.MkdirTemp("", "load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "agent-server")
	build := exec.CommandContext(ctx, "go", "build", "-o", bin, "github.com/jkstack/jkframe/v2/server/agent-server")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the agent-server: %w\n%s", err, out)
	}
	return f(bin)
}
