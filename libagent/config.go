package libagent

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
	"github.com/jkstack/jkframe/v2/logging"
	"github.com/jkstack/jkframe/v2/wire"
)

// DefaultPort is the port of a server whose address has none.
const DefaultPort = 13081

// Config is what every agent is configured with. An author embeds it in a struct of his own, under the section basic:
//
//	type conf struct {
//		libagent.Config `kv:"basic"`
//		Greeting        string `kv:"greeting"`
//	}
//
// The agent uses a snapshot of it that never changes; a reload makes a new one.
type Config struct {
	// ID names this agent in the fleet. It may be $HOSTNAME, $IP (the address that the server is reached from) or
	// any other $NAME of the environment. By default, the server assigns one, which is written into the file.
	ID string `kv:"id,expand" desc:"name of this agent in the fleet; $HOSTNAME, $IP or any $ENV; empty: assigned by the server"`

	// Server lists addresses of servers, that are tried in turn: host:port, or wss://host:port for one that is spoken to
	// over TLS. One is needed.
	Server []string `kv:"server,expand" desc:"address of the server, host:port or wss://host:port; several are tried in turn"`

	// TLS is how the agent knows its server. If it says anything of that, or if the agent is enrolled, all servers are
	// spoken to over TLS.
	TLS    TLSConfig    `kv:"tls"`
	Enroll EnrollConfig `kv:"enroll"`

	// Compress has messages compressed if the server can do that, which saves traffic and costs CPU time on both sides.
	// By default, it is on.
	Compress *bool `kv:"compress" desc:"compress messages if the server can do that"`

	Reconnect ReconnectConfig `kv:"reconnect"`
	Redirect  RedirectConfig  `kv:"redirect"`
	Log       logging.Config  `kv:"log"`
	Monitor   MonitorConfig   `kv:"monitor"`
	Limit     limit.Config    `kv:"limit"`
	Outbox    OutboxConfig    `kv:"outbox"`
	HTTP      HTTPConfig      `kv:"http"`
}

// ReconnectConfig says how the agent comes back.
type ReconnectConfig struct {
	// Spread is the time over which the agents of a fleet come back after they have lost their server: each waits a
	// second and a random part of it. By default, 3 s; in a file 0 means none, in a struct any negative value.
	Spread time.Duration `kv:"spread" desc:"time over which a fleet comes back after its server was lost"`
}

// RedirectConfig says where a server may send the agent.
type RedirectConfig struct {
	// Allow lists hosts, as example.com or *.example.com, beside those of Server. By default, none.
	Allow []string `kv:"allow" desc:"hosts beside those of server that a server may send the agent to, such as *.example.com"`
}

// MonitorConfig says whether and how often the agent reports on its own process.
type MonitorConfig struct {
	// Enabled switches the report. By default, it is on.
	Enabled *bool `kv:"enabled" desc:"report on the agent's own process"`

	// Interval is the time between two reports, at least a second. By default, 30 s.
	Interval time.Duration `kv:"interval" desc:"time between two reports"`
}

// OutboxConfig bounds what waits to be sent.
type OutboxConfig struct {
	// Memory is how many bytes may wait; who sends more waits. A quarter is kept for small replies. A single message may
	// be larger, and goes alone. At least 64 KiB. By default, 4 MiB.
	Memory int64 `kv:"memory,bytes" desc:"bytes that may wait in memory to be sent"`

	// Dir is the folder of what was emitted and is still to be sent: there it outlives the agent. It belongs to this agent alone,
	// and is made with mode 0700. By default, there is none, and messages wait in memory.
	Dir string `kv:"dir" desc:"folder of what is still to be sent; empty: memory"`

	// Disk is how many bytes the folder may take, 1 MiB at least. An eighth is kept for urgent messages. By default, 256 MiB.
	Disk int64 `kv:"disk,bytes" desc:"bytes that the folder may take"`

	// Sync says when a message in the folder is safe. The end of the process takes none; a loss of power takes with "kernel" what
	// the system has not written yet, with "interval" what was emitted in the last second, and with "disk" nothing: Emit
	// returns when the message is on the disk. By default, interval.
	Sync string `kv:"sync" desc:"kernel, interval or disk: what a loss of power takes"`

	// Full says what happens when the folder is full: with "wait", Emit waits; with "drop", the oldest messages go, and the
	// server is told that they are missing. By default, wait.
	Full string `kv:"full" desc:"wait or drop: when the folder is full"`
}

// HTTPConfig is the endpoint at which the agent tells its own host how it is.
type HTTPConfig struct {
	// Listen is where it is: unix:PATH, a socket that only the agent's user can open, or an address of this host alone,
	// such as 127.0.0.1:9100. By default, there is none.
	Listen string `kv:"listen" desc:"local endpoint with metrics and status: unix:PATH, or a loopback address such as 127.0.0.1:9100; empty: none"`

	// Pprof adds the profiles of the Go runtime below /debug/pprof. By default, they are not there.
	Pprof bool `kv:"pprof" desc:"serve the profiles of the Go runtime at the local endpoint"`
}

// Basic makes every struct that embeds a Config a [Settings].
func (c *Config) Basic() *Config { return c }

// fill puts the defaults where the author set none. A file is read on top of them.
func (c *Config) fill(name string) {
	c.Log.Name = name
	if c.Reconnect.Spread == 0 {
		c.Reconnect.Spread = 3 * time.Second
	}
	on := true
	if c.Compress == nil {
		c.Compress = &on
	}
	if c.Monitor.Enabled == nil {
		c.Monitor.Enabled = &on
	}
	if c.Monitor.Interval == 0 {
		c.Monitor.Interval = 30 * time.Second
	}
	if c.Outbox.Memory == 0 {
		c.Outbox.Memory = 4 << 20
	}
	c.Outbox.Disk = cmp.Or(c.Outbox.Disk, 256<<20)
	c.Outbox.Sync, c.Outbox.Full = cmp.Or(c.Outbox.Sync, "interval"), cmp.Or(c.Outbox.Full, "wait")
	c.Limit.Name = name
}

// fieldError is a setting that makes no sense; its key lacks the prefix of the section.
type fieldError struct {
	key string
	msg string
}

func (e *fieldError) Error() string { return e.key + ": " + e.msg }

// check returns what makes no sense, one *fieldError each. It completes addresses with the default port.
func (c *Config) check() []*fieldError {
	var errs []*fieldError
	bad := func(key, format string, args ...any) {
		errs = append(errs, &fieldError{key, fmt.Sprintf(format, args...)})
	}
	if c.ID != "" {
		if err := wire.CheckID(c.ID); err != nil {
			bad("id", "%q: %v", clip(c.ID, maxPeerText), err)
		}
	}
	if len(c.Server) == 0 {
		bad("server", "missing: the address of a server, such as 10.0.0.1:%d", DefaultPort)
	}
	for i, s := range c.Server {
		addr, err := serverAddr(s)
		if err != nil {
			bad("server", "%v", err)
			continue
		}
		c.Server[i] = addr
	}
	if c.Monitor.Interval < time.Second {
		bad("monitor.interval", "%v is less than a second", c.Monitor.Interval)
	}
	if c.Outbox.Memory < 64<<10 {
		bad("outbox.memory", "%d is less than 64 KiB", c.Outbox.Memory)
	}
	if c.Outbox.Disk < 1<<20 {
		bad("outbox.disk", "%d is less than 1 MiB", c.Outbox.Disk)
	}
	if _, ok := outboxSync(c.Outbox.Sync); !ok {
		bad("outbox.sync", "%q is none of kernel, interval and disk", clip(c.Outbox.Sync, maxPeerText))
	}
	if _, ok := outboxFull(c.Outbox.Full); !ok {
		bad("outbox.full", "%q is neither wait nor drop", clip(c.Outbox.Full, maxPeerText))
	}
	if c.HTTP.Listen != "" {
		if _, _, err := localAddr(c.HTTP.Listen); err != nil {
			bad("http.listen", "%v", err)
		}
	}
	errs = append(errs, c.TLS.check()...)
	return append(errs, fieldErrors("log", c.Log.Validate())...)
}

// fieldErrors parts the joined errors of a section. Each names its key first.
func fieldErrors(section string, err error) []*fieldError {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var errs []*fieldError
		for _, e := range many.Unwrap() {
			errs = append(errs, fieldErrors(section, e)...)
		}
		return errs
	}
	key, msg, _ := strings.Cut(err.Error(), ": ")
	return []*fieldError{{section + "." + strings.TrimPrefix(key, section+"."), msg}}
}

// serverAddr completes an address with the default port. The scheme ws:// is left out, wss:// stays.
func serverAddr(s string) (string, error) {
	if rest, ok := strings.CutPrefix(s, secureScheme); ok {
		addr, err := serverAddr(rest)
		return secureScheme + addr, err
	}
	s = strings.TrimPrefix(s, "ws://")
	if strings.Contains(s, "/") {
		return "", fmt.Errorf("%q is no address: want host:port or wss://host:port", s)
	}
	host, port, err := net.SplitHostPort(s)
	var ae *net.AddrError
	if errors.As(err, &ae) && ae.Err == "missing port in address" {
		host, port = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"), strconv.Itoa(DefaultPort)
	} else if err != nil {
		return "", fmt.Errorf("%q is no address: want host:port, an IPv6 address in brackets", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return "", fmt.Errorf("%q: port %q is not between 1 and 65535", s, port)
	}
	if !isHost(host) {
		return "", fmt.Errorf("%q: %q is neither the name of a host nor an IP address", s, host)
	}
	return net.JoinHostPort(host, port), nil
}

// isHost tells whether a text is an IP address or can be the name of a host, and nothing that a URL would take apart.
func isHost(s string) bool {
	if addr, err := netip.ParseAddr(s); err == nil {
		if s = addr.Zone(); s == "" {
			return true
		}
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_' {
			return false
		}
	}
	return s != ""
}
