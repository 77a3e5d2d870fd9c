package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/logging"
)

// Config is what a server can be told. The zero value works; the tags are the keys of the config file.
type Config struct {
	// ID is the name of this server in its answers. By default, the name of the host.
	ID string `kv:"id,expand" desc:"name of this server in its answers"`

	// Listen is the TCP address for agents, "none" for no listener. By default, 127.0.0.1:13081.
	Listen string `kv:"listen" desc:"address for agents"`

	// API is the interface for people and programs.
	API APIConfig `kv:"api"`

	// TLS is what both listeners show to clients.
	TLS TLSConfig `kv:"tls"`

	// Insecure has the listeners speak with clients without TLS as well, though other machines can reach them: what is said
	// there can be read and changed on the way. By default, only listeners on loopback do.
	Insecure bool `kv:"insecure" desc:"speak without TLS as well on addresses beyond loopback"`

	// Agents is who may connect.
	Agents AgentsConfig `kv:"agents"`

	// Audit is how long the audit log is kept.
	Audit AuditConfig `kv:"audit"`

	// ConnectLimit is how many agents may connect in a second; the others are told when to come again. Less than 0 means
	// as many as come. By default, 2000.
	ConnectLimit int `kv:"connect_limit" desc:"agents that may connect in a second, -1 for as many as come"`

	// DataDir is the folder of what the server must keep, made with mode 0700 if it is missing. By default, data.
	DataDir string `kv:"data_dir" desc:"folder of what the server must keep"`

	// Journal keeps what agents send.
	Journal JournalConfig `kv:"journal"`

	// Log is how [Command] logs. New does not look at it.
	Log logging.Config `kv:"log"`

	// Logger takes what the server logs. By default, nothing is logged.
	Logger *slog.Logger `kv:"-"`

	// Features are parts of the server that live in packages of their own. By default, there are none.
	Features []Feature `kv:"-"`

	// Version is the version of the program, for /api/info/server. By default, 0.0.0.
	Version string `kv:"-"`
}

// APIConfig is the part of a [Config] for the API.
type APIConfig struct {
	// Listen is the TCP address of the API, "none" for no listener. By default, 127.0.0.1:13080.
	Listen string `kv:"listen" desc:"address of the API"`

	// TokenFile holds the token that every call of the API needs, and is made with a random one if it is missing. Nobody
	// but its owner may be able to read it. By default, api.token in DataDir.
	TokenFile string `kv:"token_file" desc:"file with the token that every call needs"`

	// Hosts are the names by which the API may be called, besides IP addresses and localhost: a web page must not reach it
	// under a name of its own. By default, none.
	Hosts []string `kv:"hosts" desc:"host names by which the API may be called"`

	// Timeout is how long a call waits for the answer of an agent. By default, a minute.
	Timeout time.Duration `kv:"timeout" desc:"how long a call waits for an agent"`

	// Rate is how many requests a second a token may make, and as many at once. Less than 0 means as many as come. By
	// default, 50,000.
	Rate int `kv:"rate" desc:"requests a second of one token, -1 for as many as come"`
}

// TLSConfig is the part of a [Config] for TLS. Without files the server makes a certificate authority of its own in DataDir.
type TLSConfig struct {
	// Cert and Key are files in PEM: the certificate with what leads to its issuer, and its key. They are read again when they
	// change. By default, the server makes certificates of its own.
	Cert string `kv:"cert" desc:"file with the certificate; empty: the server makes one"`
	Key  string `kv:"key" desc:"file with the key of the certificate"`

	// Names are host names and IP addresses by which clients reach the server, besides those that it knows of its host. A
	// certificate of its own is for them.
	Names []string `kv:"names" desc:"names and addresses by which clients reach the server"`
}

// AgentsConfig is the part of a [Config] for who may connect as an agent.
type AgentsConfig struct {
	// Auth is "enrolled" to take only agents that are enrolled, or "open" to take those of the field as well, which are who
	// they say they are. By default, "open" where only this host can be, else "enrolled".
	Auth string `kv:"auth" desc:"enrolled: only agents with a certificate; open: others as well"`

	// CertLife is how long the certificate of an agent lasts; it renews it when two thirds are over. At least an hour. By
	// default, 90 days.
	CertLife time.Duration `kv:"cert_life" desc:"how long the certificate of an agent lasts"`
}

// AuditConfig is the part of a [Config] for the audit log.
type AuditConfig struct {
	// Size is how many bytes it may have, about; the oldest lines go. At least 1 MB. By default, 1 GB.
	Size int64 `kv:"size,bytes" desc:"how large the audit log may become"`

	// Age is how long its lines are kept. By default, as long as Size allows.
	Age time.Duration `kv:"age" desc:"how long lines of the audit log are kept, 0s for as long as its size allows"`
}

// JournalConfig is the part of a [Config] for the journal, which is in the folder journal of DataDir.
type JournalConfig struct {
	// Size is how many bytes of the disk the journal takes at most, 64 MiB at least. What every sink has taken makes room, the
	// oldest first. When a sink is so far behind that there is none, agents keep what they have. By default, 1 GiB.
	Size int64 `kv:"size,bytes" desc:"bytes of the disk for what agents have sent"`
}

// minJournal is the least size of a journal: messages of 16 MiB must fit.
const minJournal = 64 << 20

// noListener is the address that means none.
const noListener = "none"

func (c Config) withDefaults() Config {
	if c.ID == "" {
		c.ID, _ = os.Hostname()
	}
	orDefault(&c.Listen, "127.0.0.1:13081")
	orDefault(&c.API.Listen, "127.0.0.1:13080")
	orDefault(&c.API.Timeout, time.Minute)
	orDefault(&c.API.Rate, 50_000)
	orDefault(&c.ConnectLimit, 2000)
	orDefault(&c.Agents.CertLife, defaultAgentCertLife)
	orDefault(&c.Audit.Size, 1_000_000_000)
	orDefault(&c.DataDir, "data")
	orDefault(&c.Journal.Size, 1<<30)
	orDefault(&c.API.TokenFile, filepath.Join(c.DataDir, "api.token"))
	orDefault(&c.Version, "0.0.0")
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// FieldError is a setting that cannot be used.
type FieldError struct {
	Key string // as in the config file
	Err error
}

func (e *FieldError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap returns what is wrong with the setting.
func (e *FieldError) Unwrap() error { return e.Err }

// Validate says all that is wrong with the config: nil, or an error that wraps a [*FieldError] for each setting. It touches
// no file, but looks up a host name in an address.
func (c Config) Validate() error {
	var all []error
	for _, e := range c.withDefaults().problems() {
		all = append(all, e)
	}
	return errors.Join(all...)
}

// problems is what is wrong with a config that has its defaults.
func (c Config) problems() []*FieldError {
	var list []*FieldError
	add := func(key string, err error) {
		if err != nil {
			list = append(list, &FieldError{Key: key, Err: err})
		}
	}
	add("listen", checkAddress(c.Listen))
	add("api.listen", checkAddress(c.API.Listen))
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		add("tls.cert", errors.New("tls.cert and tls.key need each other"))
	}
	for _, n := range c.TLS.Names {
		if n == "" || strings.ContainsAny(n, "/ ") || net.ParseIP(n) == nil && strings.Contains(n, ":") {
			add("tls.names", fmt.Errorf("%q is neither the name of a host nor an IP address: write it without scheme and port", n))
		}
	}
	if a := c.Agents.Auth; a != "" && a != authOpen && a != authEnrolled {
		add("agents.auth", fmt.Errorf("%q is neither %s nor %s", a, authOpen, authEnrolled))
	}
	if c.Agents.CertLife < time.Hour {
		add("agents.cert_life", fmt.Errorf("%v is less than an hour", c.Agents.CertLife))
	}
	if c.Audit.Size < 1_000_000 {
		add("audit.size", fmt.Errorf("%d bytes are less than 1 MB", c.Audit.Size))
	}
	if c.Audit.Age < 0 {
		add("audit.age", fmt.Errorf("%v is less than nothing", c.Audit.Age))
	}
	if c.API.Timeout < 0 {
		add("api.timeout", fmt.Errorf("%v is less than nothing", c.API.Timeout))
	}
	if c.Journal.Size < minJournal {
		add("journal.size", fmt.Errorf("%d bytes is less than 64 MiB", c.Journal.Size))
	}
	for _, h := range c.API.Hosts {
		if strings.ContainsAny(h, ":/ ") {
			add("api.hosts", fmt.Errorf("%q is no host name: write it without scheme, port and path", h))
		}
	}
	for _, err := range joined(c.Log.Validate()) {
		if e := (*logging.FieldError)(nil); errors.As(err, &e) {
			add("log."+e.Field, e.Err)
		}
	}
	return append(list, featureProblems(c.Features)...)
}

// joined takes what errors.Join has put together apart.
func joined(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

// checkAddress refuses what is no address.
func checkAddress(addr string) error {
	if addr == noListener {
		return nil
	}
	_, err := net.ResolveTCPAddr("tcp", addr)
	return err
}
