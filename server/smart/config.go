package smart

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/internal/outbound"
)

// Config is what the feature can be told. The zero value works, and allows nothing; the tags are keys of the section smart.
type Config struct {
	// Callbacks are the hosts that /cmd/run may call back: names, *.name, addresses or networks, with a port or without one. A
	// name must not lead to loopback, link-local or metadata addresses unless these are listed too. By default, none.
	Callbacks []string `kv:"callbacks" desc:"hosts that may be called back when a command has ended"`

	// Sources are the hosts that /file/upload_from may fetch from, written as those of Callbacks. By default, none.
	Sources []string `kv:"sources" desc:"hosts from which files may be fetched for agents"`

	// Push are the folders of the server's host from which a layout may push files to agents, besides those of its own tar. By
	// default, none.
	Push []string `kv:"push" desc:"folders of the server's host from which layouts may push files"`

	// Pull are the folders of the server's host into which a layout may pull files from agents. By default, none.
	Pull []string `kv:"pull" desc:"folders of the server's host into which layouts may pull files"`
}

// Validate says all that is wrong with the config.
func (c *Config) Validate() error {
	var all []error
	add := func(key string, err error) {
		if err != nil {
			all = append(all, &server.FieldError{Key: key, Err: err})
		}
	}
	_, err := outbound.Parse(c.Callbacks)
	add("callbacks", err)
	_, err = outbound.Parse(c.Sources)
	add("sources", err)
	for key, dirs := range map[string][]string{"push": c.Push, "pull": c.Pull} {
		for _, dir := range dirs {
			if !filepath.IsAbs(dir) {
				add(key, fmt.Errorf("%q is no absolute path", dir))
			}
		}
	}
	return errors.Join(all...)
}
