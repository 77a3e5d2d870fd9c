package libagent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/jkstack/jkframe/v2/internal/daemon"
	"github.com/spf13/cobra"
)

// askTimeout is how long a command waits for the running agent.
const askTimeout = 5 * time.Second

func (c Command) statusCommand() *cobra.Command {
	var file, name string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show whether the agent runs, and how it is",
		Long: "Show whether the agent runs, and how it is: the running agent is asked at its local endpoint (basic.http.listen), and where\n" +
			"there is none, the service manager. The exit status is 0 when it runs and 3 when it does not.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.status(cmd.Context(), file, name, asJSON)
		},
	}
	withConf(cmd, &file)
	c.service().WithName(cmd, &name)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what the agent says as JSON")
	return cmd
}

func (c Command) status(ctx context.Context, file, name string, asJSON bool) error {
	settings, _, err := load(c.App, file)
	if err != nil {
		return failed(err)
	}
	listen := settings.Basic().HTTP.Listen
	why := errors.New("basic.http.listen is not set")
	if listen != "" {
		var s Status
		if s, why = askStatus(ctx, listen, file); why == nil {
			if asJSON {
				return failed(c.printJSON(s))
			}
			s.print(c.Stdout)
			return nil
		}
	}
	return c.serviceStatus(name, why)
}

// serviceStatus asks the service manager, since the agent itself cannot be asked.
func (c Command) serviceStatus(name string, why error) error {
	switch err := daemon.Running(name); {
	case errors.Is(err, daemon.ErrNotRunning):
		return &failure{err, daemon.ExitNotRunning}
	case err != nil:
		return &failure{fmt.Errorf("%w; the agent cannot be asked: %w", err, why), daemon.ExitNotRunning}
	}
	fmt.Fprintf(c.Stdout, "service %s runs; the agent cannot be asked how it is: %s\n", name, printable(why.Error()))
	return nil
}

// askStatus asks a running agent.
func askStatus(ctx context.Context, listen, conf string) (Status, error) {
	network, addr, err := localAddr(listen)
	if err != nil {
		return Status{}, err
	}
	if network == "unix" {
		addr = locate(addr, conf)
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/status", nil)
	if err != nil {
		return Status{}, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return Status{}, errors.Unwrap(err) // the URL says nothing
	}
	defer resp.Body.Close()
	var s Status
	if resp.StatusCode != http.StatusOK {
		return s, fmt.Errorf("%s answered %s", listen, resp.Status)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 4<<20)).Decode(&s); err != nil {
		return s, fmt.Errorf("%s gave no status: %w", listen, err)
	}
	return s, nil
}

// print shows a status to a person.
func (s Status) print(w io.Writer) {
	line := func(head, format string, args ...any) {
		fmt.Fprintf(w, "%-12s%s\n", head, printable(fmt.Sprintf(format, args...)))
	}
	line("agent", "%s %s, id %s, pid %d, up %s", s.Name, s.Version, orNone(s.ID), s.PID, ago(time.Duration(s.Uptime*float64(time.Second))))
	s.Connection.print(line)
	s.Outbox.print(line)
	for _, t := range s.Tasks {
		if t.Running+t.Waiting > 0 {
			line("tasks", "%s: %d running, %d waiting", t.Kind, t.Running, t.Waiting)
		}
	}
	for _, l := range s.Limits {
		line("limit", "%s", l.String())
	}
	line("config", "%s", orNone(s.Config.File))
	for _, f := range s.Config.Findings {
		line("", "not used: %s", f)
	}
	if s.Crash != nil {
		reported := "not reported yet"
		if s.Crash.Reported {
			reported = "reported"
		}
		first, _, _ := strings.Cut(s.Crash.Text, "\n")
		line("last crash", "%s, %s: %s", s.Crash.At.Local().Format(time.DateTime), reported, first)
	}
}

func (c ConnectionStatus) print(line func(head, format string, args ...any)) {
	switch {
	case c.Connected:
		line("server", "%s, connected for %s, connection %d", c.Server, ago(time.Since(c.Since)), c.Connections)
	case c.Since.IsZero():
		line("server", "%s, not connected since the start", orNone(c.Server))
	default:
		line("server", "%s, not connected for %s", c.Server, ago(time.Since(c.Since)))
	}
	if c.Proxy != "" {
		line("", "through the proxy %s", c.Proxy)
	}
	if c.LastError != "" {
		line("", "%s", c.LastError)
	}
	if c.Conflict {
		line("", "another agent with this id is connected: give one of them another basic.id")
	}
}

func (o OutboxStatus) print(line func(head, format string, args ...any)) {
	kept := "let go when they are sent"
	if o.Acknowledged {
		kept = "kept until the server has them in its journal"
	}
	line("outbox", "%d messages, %d bytes, %s", o.Messages, o.Bytes, kept)
	if !o.Oldest.IsZero() {
		line("", "the oldest waits for %s", ago(time.Since(o.Oldest)))
	}
	if o.Dropped > 0 {
		line("", "%d messages dropped since the start", o.Dropped)
	}
	if o.Fault != "" {
		line("", "%s", o.Fault)
	}
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// ago shows a time that has passed, to a second.
func ago(d time.Duration) string { return max(d, 0).Round(time.Second).String() }

// printable replaces what a terminal might obey: some of it was said by a server.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
