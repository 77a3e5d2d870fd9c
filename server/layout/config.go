package layout

import (
	"errors"
	"fmt"
	"time"

	"github.com/jkstack/jkframe/v2/server"
)

// Config is what the feature can be told. The zero value works; the tags are keys of the section layout.
type Config struct {
	// Parallel is how many nodes of a layout are at work at the same time. By default, 100.
	Parallel int `kv:"parallel" desc:"nodes of a layout that are at work at the same time"`

	// Runs is how many layouts are remembered. The oldest that has ended makes room for a new one; when all are running, there
	// is none. By default, 1000.
	Runs int `kv:"runs" desc:"layouts that are remembered"`

	// Nodes is how many nodes a layout may have. By default, 20,000.
	Nodes int `kv:"nodes" desc:"nodes that a layout may have"`

	// Keep is how long a layout is remembered after its end. By default, a day.
	Keep time.Duration `kv:"keep" desc:"how long a layout is remembered after its end"`
}

const (
	defaultParallel = 100
	defaultRuns     = 1000
	defaultNodes    = 20_000
	defaultKeep     = 24 * time.Hour
)

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		v   *int
		def int
	}{{&c.Parallel, defaultParallel}, {&c.Runs, defaultRuns}, {&c.Nodes, defaultNodes}} {
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	if c.Keep == 0 {
		c.Keep = defaultKeep
	}
	return c
}

// Validate says all that is wrong with the config.
func (c *Config) Validate() error {
	d := c.withDefaults()
	var all []error
	for key, n := range map[string]int{"parallel": d.Parallel, "runs": d.Runs, "nodes": d.Nodes} {
		if n < 1 {
			all = append(all, &server.FieldError{Key: key, Err: fmt.Errorf("%d is less than 1", n)})
		}
	}
	if d.Keep < 0 {
		all = append(all, &server.FieldError{Key: "keep", Err: fmt.Errorf("%v is less than nothing", d.Keep)})
	}
	return errors.Join(all...)
}
