package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
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

	// Insecure allows addresses beyond loopback: what is said there can be read and changed on the way. By default, such
	// an address is an error.
	Insecure bool `kv:"insecure" desc:"allow addresses beyond loopback, without encryption"`

	// ConnectLimit is how many agents may connect in a second; the others are told when to come again. Less than 0 means
	// as many as come. By default, 2000.
	ConnectLimit int `kv:"connect_limit" desc:"agents that may connect in a second, -1 for as many as come"`

	// DataDir is the folder of what the server must keep, made with mode 0700 if it is missing. By default, data.
	DataDir string `kv:"data_dir" desc:"folder of what the server must keep"`

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
}

// noListener is the address that means none.
const noListener = "none"

func (c Config) withDefaults() Config {
	if c.ID == "" {
		c.ID, _ = os.Hostname()
	}
	orDefault(&c.Listen, "127.0.0.1:13081")
	orDefault(&c.API.Listen, "127.0.0.1:13080")
	orDefault(&c.API.Timeout, time.Minute)
	orDefault(&c.ConnectLimit, 2000)
	orDefault(&c.DataDir, "data")
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
	add("listen", checkAddress(c.Listen, c.Insecure))
	add("api.listen", checkAddress(c.API.Listen, c.Insecure))
	if c.API.Timeout < 0 {
		add("api.timeout", fmt.Errorf("%v is less than nothing", c.API.Timeout))
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

// checkAddress refuses an address that strangers could reach, unless that was asked for.
func checkAddress(addr string, insecure bool) error {
	if addr == noListener {
		return nil
	}
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return err
	}
	if !insecure && !a.IP.IsLoopback() {
		return fmt.Errorf("%q can be reached from other machines, and nothing is encrypted there: use an address such as %s behind a proxy "+
			"that speaks TLS, or write \"insecure = true\"", addr, net.JoinHostPort("127.0.0.1", strconv.Itoa(a.Port)))
	}
	return nil
}
