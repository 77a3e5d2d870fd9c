package server

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

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
	cfg, err = whole.decode(d)
	wrong := kvconf.Errors(nil)
	if err != nil && !errors.As(err, &wrong) {
		return cfg, nil, fmt.Errorf("read config: %w", err)
	}
	cfg.Features = features
	wrong = more(wrong, placed(file, text, cfg.withDefaults().problems()))
	if len(wrong) > 0 {
		return cfg, nil, fmt.Errorf("read config: %w", wrong)
	}
	return cfg, d.Findings(), nil
}

// more adds to the errors of a file what is wrong at other keys, so that whoever has written it corrects it once.
func more(wrong, others kvconf.Errors) kvconf.Errors {
	all := slices.Clone(wrong)
	for _, o := range others {
		if !slices.ContainsFunc(wrong, func(have *kvconf.Error) bool { return have.Key == o.Key }) {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(a, b *kvconf.Error) int { return cmp.Compare(a.Line, b.Line) })
	return all
}

// placed gives settings that cannot be used their places in the file.
func placed(file string, text []byte, list []*FieldError) kvconf.Errors {
	entries := make(map[string]kvconf.Entry)
	doc, _ := kvconf.Parse(text) // what are no settings the decoder has told
	for _, e := range doc.Entries() {
		entries[e.Key] = e // of duplicates the last one counts
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
