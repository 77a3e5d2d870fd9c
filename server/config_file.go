package server

import (
	"fmt"
	"os"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// LoadConfig reads a config file of lines "key = value". A key that is unknown or comes twice is an error, like a value
// that cannot be read; a [kvconf.Errors] holds all of them with their places. $HOSTNAME and the variables of the
// environment are replaced in id and in log.dir.
func LoadConfig(file string) (Config, error) {
	var cfg Config
	err := decodeConfig(file, &cfg, func(d *kvconf.Decoder) *kvconf.Decoder { return d })
	return cfg, err
}

// loadTolerant reads a config file, and tells of keys that are unknown or come twice instead of failing: an old program
// must start with the file of a newer one.
func loadTolerant(file string) (cfg Config, findings []*kvconf.Error, err error) {
	var d *kvconf.Decoder
	err = decodeConfig(file, &cfg, func(decoder *kvconf.Decoder) *kvconf.Decoder {
		d = decoder.Tolerant()
		return d
	})
	if err != nil {
		return cfg, nil, err
	}
	return cfg, d.Findings(), nil
}

func decodeConfig(file string, cfg *Config, option func(*kvconf.Decoder) *kvconf.Decoder) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("read config: %w", err)
	}
	defer f.Close()
	d := option(kvconf.NewDecoder(f).File(file).Expand(lookup))
	if err := d.Decode(cfg); err != nil {
		return fmt.Errorf("read config: %w", err)
	}
	return nil
}

// lookup gives the value of a $NAME in the config file.
func lookup(name string) (string, bool) {
	if v, ok := os.LookupEnv(name); ok || name != "HOSTNAME" {
		return v, ok
	}
	host, err := os.Hostname() // shells know HOSTNAME, but seldom pass it on
	return host, err == nil
}
