package server

import (
	"bytes"
	"fmt"
	"os"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// LoadConfig reads a config file of lines "key = value", and checks it. A key that is unknown or comes twice is an error,
// like a value that cannot be used; a [kvconf.Errors] holds all of them with their places. $HOSTNAME and the variables of
// the environment are replaced in id and in log.dir. Settings of the features go to the features, which are in the result.
func LoadConfig(file string, features ...Feature) (Config, error) {
	cfg, _, err := load(file, false, features)
	return cfg, err
}

// load reads a config file. If tolerant, it tells of keys that are unknown or come twice instead of failing: an old program
// must start with the file of a newer one.
func load(file string, tolerant bool, features []Feature) (cfg Config, findings []*kvconf.Error, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return cfg, nil, fmt.Errorf("read config: %w", err)
	}
	d := kvconf.NewDecoder(bytes.NewReader(text)).File(file).Expand(lookup)
	if tolerant {
		d.Tolerant()
	}
	whole, err := newConfigFile(features)
	if err != nil {
		return cfg, nil, err
	}
	if cfg, err = whole.decode(d); err != nil {
		return cfg, nil, fmt.Errorf("read config: %w", err)
	}
	cfg.Features = features
	if list := cfg.withDefaults().problems(); len(list) > 0 {
		return cfg, nil, fmt.Errorf("read config: %w", placed(file, text, list))
	}
	return cfg, d.Findings(), nil
}

// placed gives settings that cannot be used their places in the file.
func placed(file string, text []byte, list []*FieldError) kvconf.Errors {
	entries := make(map[string]kvconf.Entry)
	if doc, err := kvconf.Parse(text); err == nil {
		for _, e := range doc.Entries() {
			entries[e.Key] = e // of duplicates the last one counts
		}
	}
	var all kvconf.Errors
	for _, p := range list {
		e := entries[p.Key]
		all = append(all, &kvconf.Error{
			File: file, Line: e.Line, Column: e.Column, Key: p.Key, Kind: kvconf.ErrValue, Msg: p.Err.Error(), Err: p.Err,
		})
	}
	return all
}

// lookup gives the value of a $NAME in the config file.
func lookup(name string) (string, bool) {
	if v, ok := os.LookupEnv(name); ok || name != "HOSTNAME" {
		return v, ok
	}
	host, err := os.Hostname() // shells know HOSTNAME, but seldom pass it on
	return host, err == nil
}
