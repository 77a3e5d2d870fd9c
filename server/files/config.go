package files

import (
	"errors"
	"fmt"

	"github.com/jkstack/jkframe/v2/server"
)

// Config is what the feature can be told. The zero value works; the tags are keys of the section files.
type Config struct {
	// Disk is how many bytes uploads, and downloads from agents of the field, may take on disk, each. By default, 16 GiB.
	Disk int64 `kv:"disk,bytes" desc:"room on disk for uploads, and as much for downloads"`

	// Transfers is how many files may be on their way at the same time; a quarter of them no single token gets. By default, 256.
	Transfers int `kv:"transfers" desc:"files that may be on their way at the same time"`
}

const (
	defaultDisk      = 16 << 30
	defaultTransfers = 256
	minDisk          = 1 << 20
)

func (c Config) withDefaults() Config {
	if c.Disk == 0 {
		c.Disk = defaultDisk
	}
	if c.Transfers == 0 {
		c.Transfers = defaultTransfers
	}
	return c
}

// Validate says all that is wrong with the config.
func (c *Config) Validate() error {
	d := c.withDefaults()
	var all []error
	if d.Disk < minDisk {
		all = append(all, &server.FieldError{Key: "disk", Err: fmt.Errorf("%d bytes are less than %d", d.Disk, minDisk)})
	}
	if d.Transfers < 1 {
		all = append(all, &server.FieldError{Key: "transfers", Err: fmt.Errorf("%d is less than 1", d.Transfers)})
	}
	return errors.Join(all...)
}
