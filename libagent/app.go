package libagent

import (
	"context"

	"github.com/spf13/cobra"
)

// App is what the author of an agent writes. It may implement [Connecter], [Disconnecter], [Reloader], [Reporter] and
// [Stopper] as well; a guard such as
//
//	var _ libagent.Reloader = (*app)(nil)
//
// has the compiler check that it does.
type App interface {
	// Name is the type of the agent, such as exec-agent: what it is called by the server, in logs and as a service.
	Name() string

	// Version is the version of the agent, such as 1.0.0.
	Version() string

	// NewConfig returns a new config that holds the defaults. It is called for every load of the config file.
	NewConfig() Settings

	// Setup registers what the agent does. It is called once, before the agent connects; an error ends the agent.
	Setup(ag *Agent) error
}

// Settings is a pointer to the author's config struct, which embeds [Config].
type Settings interface {
	// Basic returns what is embedded.
	Basic() *Config
}

// Validator is a [Settings] that checks itself: what it returns stops a start, a reload and a check. An error whose text
// begins with a key and a colon, as in "interval: 0s is not positive", is shown with the place of that key; several are
// joined with [errors.Join]. It is asked whatever else is wrong, so that all of it is shown at once: Config, too, is as it was
// written, with no server perhaps.
type Validator interface {
	Validate() error
}

// Folders is a [Settings] of an agent that writes in folders besides those of [Config].
type Folders interface {
	// Folders returns them, relative ones as they are in the config: the command install gives them to the agent's user.
	Folders() []string
}

// Connecter is an [App] that wants to know when a connection stands, that is, after every successful handshake.
type Connecter interface {
	// Connected runs on a goroutine of its own; ctx ends with the connection, and so should it: while it still runs it is
	// not called again.
	Connected(ctx context.Context, ag *Agent)
}

// Disconnecter is an [App] that wants to know when an established connection has ended.
type Disconnecter interface {
	// Disconnected is told what ended the connection. The next connection waits for it until ctx is done, 5 s at most;
	// while it still runs it is not called again. There is no connection, so it should not wait to emit.
	Disconnected(ctx context.Context, ag *Agent, err error)
}

// Reloader is an [App] that can take a changed config while it runs.
type Reloader interface {
	// Reload is called on a goroutine of its own when the config file has been read again and found good, and by [Agent.SetConfig],
	// before ConfigOf returns the new one. An error keeps the old one. It does not run beside itself; both configs are read-only.
	// [Agent.SetConfig] is not for it to call (see there).
	Reload(ag *Agent, old, new Settings) error
}

// Reporter is an [App] with a report of its own beside the monitor report.
type Reporter interface {
	// Report is called every monitor.interval while the agent is connected and monitor.enabled is set. It may block
	// and emit; it does not run beside itself. An error is logged.
	Report(ctx context.Context, ag *Agent) error
}

// Commander is an [App] with commands of its own beside run, status and the others.
type Commander interface {
	// Commands is called once for every command line. Each command gets the flag --conf, as file, before it runs.
	Commands(file *string) []*cobra.Command
}

// Stopper is an [App] that has something to clean up.
type Stopper interface {
	// Stop is called once when the agent stops, after the last handler has returned and before the connection is
	// closed, so it can still emit. It has until ctx is done; Run does not wait longer for it.
	Stop(ctx context.Context, ag *Agent) error
}
