package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/jkstack/jkframe/v2/internal/daemon"
	"github.com/jkstack/jkframe/v2/logging"
	"github.com/spf13/cobra"
)

// readyTimeout is how long the command status waits for the server.
const readyTimeout = 5 * time.Second

// service is the server as a service of its host.
func (c Command) service() daemon.Program {
	return daemon.Program{
		Name: program, Description: "agent-server, the server of a fleet of agents", Kind: "server", Conf: defaultConfig,
		Stdout: c.Stdout, Stderr: c.Stderr, Plan: c.plan,
	}
}

// plan says what the server needs of its host as a service.
func (c Command) plan(file string) (p daemon.Plan, err error) {
	cfg, findings, err := load(file, true, c.Features)
	if err != nil {
		return p, err
	}
	cfg = cfg.withDefaults()
	for _, f := range findings {
		p.Warnings = append(p.Warnings, f)
	}
	p.Folders = []string{cfg.DataDir}
	if slices.Contains(cfg.Log.Target, logging.TargetFile) {
		dir := cfg.Log.Dir
		if dir == "" {
			dir = logging.DefaultDir
		}
		p.Folders = append(p.Folders, dir)
	}
	p.Files = []string{cfg.API.TokenFile}
	if cfg.TLS.Key != "" {
		p.Files = append(p.Files, cfg.TLS.Key)
	}
	return p, nil
}

// serviceCommands make the server a service, and look after it.
func (c Command) serviceCommands() []*cobra.Command {
	all := append(c.service().Commands(), c.statusCommand())
	for _, cmd := range all {
		cmd.Args = noArgs
	}
	return all
}

func (c Command) statusCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show whether the server runs, and whether it takes agents",
		Long: "Show whether the server runs: the server is asked at its API's address, and where that cannot be done without a certificate,\n" +
			"the service manager alone. The exit status is 0 when it runs and 3 when it does not.",
	}
	c.service().WithName(cmd, &name)
	c.withConf(cmd, func(cfg Config) error { return c.status(cmd.Context(), cfg, name) })
	return cmd
}

// status asks the server, and the service manager if the server cannot be asked.
func (c Command) status(ctx context.Context, cfg Config, name string) error {
	ready, why := isReady(ctx, cfg)
	switch {
	case why != nil:
		if err := daemon.Running(name); err != nil {
			return fmt.Errorf("%w (%w; %w)", daemon.ErrNotRunning, err, why)
		}
		fmt.Fprintf(c.Stdout, "service %s runs; the server cannot be asked how it is: %v\n", name, why)
	case ready:
		fmt.Fprintf(c.Stdout, "%s at %s runs and takes agents\n", program, cfg.API.Listen)
	default:
		fmt.Fprintf(c.Stdout, "%s at %s runs, and stops or takes no agents at the moment\n", program, cfg.API.Listen)
	}
	return nil
}

// isReady asks a server on this host whether it takes agents.
func isReady(ctx context.Context, cfg Config) (bool, error) {
	host, _, err := net.SplitHostPort(cfg.API.Listen)
	if err != nil {
		return false, fmt.Errorf("api.listen is %s", cfg.API.Listen)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) && !cfg.Insecure {
		return false, fmt.Errorf("api.listen is %s, which speaks TLS", cfg.API.Listen)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.API.Listen+"/readyz", nil)
	if err != nil {
		return false, err
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusServiceUnavailable {
		return false, fmt.Errorf("%s answered %s", cfg.API.Listen, resp.Status)
	}
	return resp.StatusCode == http.StatusOK, nil
}
