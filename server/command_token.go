package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jkstack/jkframe/v2/server/internal/audit"
	"github.com/jkstack/jkframe/v2/server/internal/secretfile"
	"github.com/jkstack/jkframe/v2/server/internal/tokens"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/spf13/cobra"
)

// tokenFlags are what can be said of a token that is made.
type tokenFlags struct {
	api                  bool
	role, name           string
	agents, types        []string
	rate                 int
	agentType, id, serve string
	uses                 int
	ttl                  time.Duration
}

// tokenCommand makes, lists and revokes tokens. A server that runs on the same folder takes them within a second.
func (c Command) tokenCommand() *cobra.Command {
	group := &cobra.Command{Use: "token", Short: "Make, list and revoke tokens", Args: noArgs, RunE: help}
	var f tokenFlags
	create := &cobra.Command{
		Use:   "create",
		Short: "Make a token: one that enrols agents, or with --api one that calls the API",
		Long: "Make a token that enrols agents, and print the line to be run on their hosts; or with --api a token that calls the\n" +
			"API. The text of a token is shown once, and cannot be had again.",
		Args: noArgs,
	}
	flags := create.Flags()
	flags.BoolVar(&f.api, "api", false, "a token for the API")
	flags.StringVar(&f.role, "role", "", "with --api: read, operate or admin")
	flags.StringVar(&f.name, "name", "", "who or what gets it, for the audit log")
	flags.StringSliceVar(&f.agents, "agents", nil, "with --api: only agents with these ids")
	flags.StringSliceVar(&f.types, "types", nil, "with --api: only agents of these types")
	flags.IntVar(&f.rate, "rate", 0, "with --api: requests a second; 0: api.rate of the config")
	flags.StringVar(&f.agentType, "type", "", "type of the agents, such as exec-agent")
	flags.StringVar(&f.id, "id", "", "id of the only agent that it enrols; needed to enrol one again")
	flags.IntVar(&f.uses, "uses", 1, "how many agents it enrols")
	flags.StringVar(&f.serve, "server", "", "address of this server in the line that is printed")
	flags.DurationVar(&f.ttl, "ttl", 0, "how long it is good; by default 1h, with --api 90 days; below 0: for ever")
	c.withData(create, func(cfg Config) error { return c.createToken(cfg, f) })

	list := &cobra.Command{Use: "list", Short: "List the tokens, without their texts", Args: noArgs}
	c.withConf(list, c.listTokens)

	revoke := &cobra.Command{Use: "revoke ID|NAME", Short: "Have a token be worth nothing from now on", Args: exactArg("the id or the name of a token")}
	c.withConf(revoke, func(cfg Config) error {
		t, err := tokens.Revoke(cfg.tokensDir(), revoke.Flags().Arg(0))
		if t.ID == "" {
			return err
		}
		fmt.Fprintf(c.Stdout, "token %s (%q) is revoked\n", t.ID, t.Name)
		return errors.Join(leftOut(err), post(cfg, audit.Entry{Event: "token.revoke", Target: t.Name, Detail: map[string]any{"token": t.ID}}))
	})
	group.AddCommand(create, list, revoke)
	return group
}

// help is what a command with commands below it does.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// withConf has a command load the config of the server whose folder it works in.
func (c Command) withConf(cmd *cobra.Command, run func(Config) error) {
	cmd.Flags().StringP("conf", "c", defaultConfig, "config file of the server")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := load(confOf(cmd), true, c.Features)
		if err != nil {
			return err
		}
		return run(cfg.withDefaults())
	}
}

// withData is withConf for a command that may be the first one to write into the server's folder. Root makes that for who owns the
// config file, as whom the server runs.
func (c Command) withData(cmd *cobra.Command, run func(Config) error) {
	c.withConf(cmd, func(cfg Config) error {
		if err := secretfile.MakeFolder(cfg.DataDir, confOf(cmd)); err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
		return run(cfg)
	})
}

// exactArg demands one argument.
func exactArg(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 || args[0] == "" {
			return usageError{fmt.Errorf("one argument is needed: %s", what)}
		}
		return nil
	}
}

// operator is who runs a command, for the audit log.
func operator() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if sudo := os.Getenv("SUDO_USER"); sudo != "" {
		name += " (sudo by " + sudo + ")"
	}
	return name
}

// post leaves a line for the audit log.
func post(cfg Config, e audit.Entry) error {
	e.Actor, e.From, e.Result = operator(), "command line", "ok"
	return audit.Post(cfg.auditDir(), e)
}

func (c Command) createToken(cfg Config, f tokenFlags) error {
	t, err := f.token()
	if err != nil {
		return usageError{err}
	}
	t.By = operator()
	if f.api {
		text, err := tokens.Create(cfg.tokensDir(), t)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.Stdout, text)
		return post(cfg, createdEntry(t))
	}
	certs, err := openCerts(cfg.caDir(), cfg.TLS)
	if err != nil {
		return err
	}
	fingerprint, err := certs.fingerprint()
	if err != nil {
		return err
	}
	serve := f.serve
	if serve == "" {
		serve = serverAddress(cfg)
	}
	text, err := tokens.Create(cfg.tokensDir(), t)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("%s enroll --server %s --token %s --ca-fingerprint %s", t.AgentType, serve, text, fingerprint)
	if t.AgentID != "" {
		line += " --id " + t.AgentID
	}
	fmt.Fprintln(c.Stdout, line)
	return post(cfg, createdEntry(t))
}

// createdEntry is the line of the audit log on a token that was made.
func createdEntry(t *tokens.Token) audit.Entry {
	return audit.Entry{Event: "token.create", Target: t.Name, Detail: map[string]any{
		"token": t.ID, "role": t.Role, "agents": t.Agents, "types": t.Types, "agent_type": t.AgentType, "agent_id": t.AgentID,
		"uses": t.Uses, "expires": t.Expires,
	}}
}

// token is what the flags ask for.
func (f *tokenFlags) token() (*tokens.Token, error) {
	ttl := f.ttl
	if f.api {
		if _, ok := roleNamed(f.role); !ok {
			return nil, fmt.Errorf("--role is %q: want %s, %s or %s", f.role, RoleRead, RoleOperate, RoleAdmin)
		}
		if f.agentType != "" || f.id != "" || f.serve != "" {
			return nil, errors.New("--type, --id and --server are for tokens that enrol agents")
		}
		if f.role == RoleAdmin.String() && len(f.agents)+len(f.types) > 0 {
			return nil, errors.New("an admin decides about all agents: --agents and --types are for other roles")
		}
		if f.name == "" {
			return nil, errors.New("--name is missing: who or what gets the token")
		}
		if ttl == 0 {
			ttl = 90 * 24 * time.Hour
		}
		return &tokens.Token{
			Kind: tokens.API, Name: f.name, Role: f.role, Agents: f.agents, Types: f.types, Rate: f.rate, Expires: expiry(ttl),
		}, nil
	}
	switch {
	case f.role != "" || len(f.agents)+len(f.types) > 0 || f.rate != 0:
		return nil, errors.New("--role, --agents, --types and --rate are for tokens for the API: add --api")
	case f.agentType == "":
		return nil, errors.New("--type is missing: the type of the agents, such as exec-agent")
	case strings.ContainsAny(f.agentType, " \t\n/\\:"):
		return nil, fmt.Errorf("--type is %q: want a word such as exec-agent", f.agentType)
	case f.uses < 1 || f.uses > 100_000:
		return nil, fmt.Errorf("--uses is %d: want 1 to 100000", f.uses)
	case f.id != "" && f.uses != 1:
		return nil, errors.New("--id names one agent: --uses must be 1")
	}
	if f.id != "" {
		if err := wire.CheckID(f.id); err != nil {
			return nil, fmt.Errorf("--id: %w", err)
		}
		if strings.ContainsAny(f.id, " \t\"'`$\\;&|<>()*?[]#~!{}") {
			return nil, fmt.Errorf("--id is %q, which a shell would take apart", f.id)
		}
	}
	if ttl == 0 {
		ttl = time.Hour
	}
	name := f.name
	if name == "" {
		name = "enrol " + f.agentType
	}
	return &tokens.Token{
		Kind: tokens.Enrol, Name: name, AgentType: f.agentType, AgentID: f.id, Uses: f.uses, Expires: expiry(ttl),
	}, nil
}

// expiry is when something ends that is good for so long.
func expiry(ttl time.Duration) time.Time {
	if ttl < 0 {
		return time.Time{}
	}
	return time.Now().UTC().Add(ttl).Truncate(time.Second)
}

// serverAddress is where agents reach this server, as well as it can be known here.
func serverAddress(cfg Config) string {
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		host, port = "", "13081"
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if host, _ = os.Hostname(); len(cfg.TLS.Names) > 0 {
			host = cfg.TLS.Names[0]
		}
	}
	return "wss://" + net.JoinHostPort(host, port)
}

func (c Command) listTokens(cfg Config) error {
	all, err := tokens.List(cfg.tokensDir())
	return errors.Join(leftOut(err), table(c.Stdout, "ID\tNAME\tFOR\tEXPIRES\tUSED\tSTATE", func(row func(...any)) {
		for _, s := range all {
			purpose, used := "API: "+s.Role, ""
			if s.Kind == tokens.Enrol {
				purpose, used = "enrol "+s.AgentType+" "+s.AgentID, fmt.Sprintf("%d/%d", len(s.Used), s.Uses)
			}
			state := "good"
			switch {
			case s.Revoked:
				state = "revoked"
			case !s.Expires.IsZero() && time.Now().After(s.Expires):
				state = "expired"
			case s.Kind == tokens.Enrol && len(s.Used) >= s.Uses:
				state = "used up"
			}
			row(s.ID, fmt.Sprintf("%q", s.Name), strings.TrimSpace(purpose), when(s.Expires), used, state)
		}
	}))
}

// leftOut is the error of tokens whose files cannot be read, if there are any.
func leftOut(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("not among the tokens, and refused by the server, is what cannot be read:\n%w", err)
}

// when shows a time, or that there is none.
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

// table prints rows below a title.
func table(w io.Writer, title string, fill func(row func(...any))) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, title)
	fill(func(cells ...any) {
		text := make([]string, len(cells))
		for i, c := range cells {
			text[i] = fmt.Sprint(c)
		}
		fmt.Fprintln(out, strings.Join(text, "\t"))
	})
	return out.Flush()
}
