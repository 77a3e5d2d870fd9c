package exec

import (
	"errors"
	"fmt"
	"time"

	"github.com/jkstack/jkframe/v2/server"
)

// Config is what the feature can be told. The zero value works; the tags are keys of the section exec.
type Config struct {
	// Tasks is how many tasks are remembered. The oldest that has ended makes room for a new one; when all are running, there
	// is none. By default, 20,000.
	Tasks int `kv:"tasks" desc:"tasks that are remembered"`

	// Keep is how long a task is remembered after its end, and how long one whose agent does not come back counts as
	// running after its timeout. By default, an hour.
	Keep time.Duration `kv:"keep" desc:"how long a task is remembered after its end"`

	// Output is how many bytes of the output of a task are kept, the first ones. By default, 64 MiB.
	Output int64 `kv:"output,bytes" desc:"output of a task that is kept"`

	// Disk is how many bytes the output of all tasks may take on disk; when it gets short, the oldest that have ended make room. By
	// default, 4 GiB.
	Disk int64 `kv:"disk,bytes" desc:"room on disk for the output of all tasks"`

	// Grace is how much longer than its timeout a task may take to end: the agent ends the command, which may take a while.
	// By default, 15 s.
	Grace time.Duration `kv:"grace" desc:"how much longer than its timeout a command may take to end"`
}

const (
	defaultTasks  = 20_000
	defaultKeep   = time.Hour
	defaultOutput = 64 << 20
	defaultDisk   = 4 << 30
	defaultGrace  = 15 * time.Second

	minOutput = 4 << 10
	minDisk   = 1 << 20
)

func (c Config) withDefaults() Config {
	orDefault(&c.Tasks, defaultTasks)
	orDefault(&c.Keep, defaultKeep)
	orDefault(&c.Output, defaultOutput)
	orDefault(&c.Disk, defaultDisk)
	orDefault(&c.Grace, defaultGrace)
	return c
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Validate says all that is wrong with the config.
func (c *Config) Validate() error {
	d := c.withDefaults()
	var all []error
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			all = append(all, &server.FieldError{Key: key, Err: fmt.Errorf(format, args...)})
		}
	}
	check(d.Tasks > 0, "tasks", "%d is less than 1", d.Tasks)
	check(d.Keep > 0, "keep", "%v is less than nothing", d.Keep)
	check(d.Output >= minOutput, "output", "%d bytes are less than %d", d.Output, minOutput)
	check(d.Disk >= minDisk, "disk", "%d bytes are less than %d", d.Disk, minDisk)
	check(d.Grace > 0, "grace", "%v is less than nothing", d.Grace)
	return errors.Join(all...)
}
