package libagent

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/limit"
)

// section is the section of the config that every agent has.
const section = "basic"

// source is a config file that was read: its settings with their places.
type source struct {
	file    string
	entries []kvconf.Entry
	flat    bool // keys of the section without its name, as in id = x
}

// readSource reads a config file: YAML or JSON if its extension says so, else key = value.
func readSource(file string) (*source, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return parseSource(file, data)
}

// parseSource reads the text of a config file.
func parseSource(file string, data []byte) (*source, error) {
	var entries []kvconf.Entry
	var err error
	switch strings.ToLower(filepath.Ext(file)) {
	case ".yaml", ".yml":
		entries, err = yamlEntries(data)
	case ".json":
		entries, err = jsonEntries(data)
	default:
		var doc *kvconf.Document
		if doc, err = kvconf.Parse(data); err == nil {
			entries = doc.Entries()
		}
	}
	if err != nil {
		return nil, named(file, err)
	}
	return newSource(file, entries)
}

// newSource puts flat keys into their section. A file that has both kinds is refused: it would be guesswork which counts.
func newSource(file string, entries []kvconf.Entry) (*source, error) {
	s := &source{file: file, entries: entries}
	var in, flat *kvconf.Entry
	for i := range entries {
		e := &entries[i]
		if strings.HasPrefix(e.Key, section+".") {
			in = e
		} else if isBasic(e.Key) && flat == nil {
			flat = e
		}
	}
	if flat == nil {
		return s, nil
	}
	if in != nil {
		return nil, &kvconf.Error{
			File: file, Line: flat.Line, Column: flat.Column, Key: flat.Key, Kind: kvconf.ErrDuplicateKey, FirstLine: in.Line,
			Msg: fmt.Sprintf("without %q, but %s in line %d has it: write all keys the same way", section+".", in.Key, in.Line),
		}
	}
	s.flat = true
	for i := range entries {
		if isBasic(entries[i].Key) {
			entries[i].Key = section + "." + entries[i].Key
		}
	}
	return s, nil
}

// isBasic tells whether a key is one of those of [Config].
func isBasic(key string) bool {
	_, found := slices.BinarySearch(basicKeys(), key)
	return found
}

// basicKeys are the keys of Config, sorted.
var basicKeys = sync.OnceValue(func() []string {
	on := true
	all := Config{ID: "x", Server: []string{"x"}, Compress: &on, Monitor: MonitorConfig{Enabled: &on}, Limit: limit.Config{Disk: []limit.Disk{{}}}}
	text, err := kvconf.Marshal(all)
	if err != nil {
		panic(err) // the struct of this package cannot be written: found by the first test
	}
	doc, err := kvconf.Parse(text)
	if err != nil {
		panic(err)
	}
	keys := doc.Keys()
	slices.Sort(keys)
	return keys
})

// named puts the file's name into the errors of a parser.
func named(file string, err error) error {
	var many kvconf.Errors
	var one *kvconf.Error
	switch {
	case errors.As(err, &many):
		for _, e := range many {
			e.File = file
		}
		return many
	case errors.As(err, &one):
		one.File = file
		return one
	}
	return fmt.Errorf("%s: %w", file, err)
}

// load reads a config file on top of the app's defaults. It returns what is wrong with the file but no reason not to
// start: unknown and duplicate keys, which a config of a newer version may well have, and limits that make no sense, of
// which the others are applied.
func load(app App, file string) (Settings, []*kvconf.Error, error) {
	src, err := readSource(file)
	if err != nil {
		return nil, nil, err
	}
	return src.load(app)
}

// load decodes what was read on top of the app's defaults.
func (s *source) load(app App) (Settings, []*kvconf.Error, error) {
	conf := app.NewConfig()
	if err := hasSection(conf); err != nil {
		return nil, nil, err
	}
	c := conf.Basic()
	c.fill(app.Name())
	d := kvconf.NewEntryDecoder(s.entries).File(s.file).Tolerant().Expand(s.lookup)
	wrong := d.Decode(conf)
	findings := d.Findings()
	for _, e := range fieldErrors("limit", c.Limit.Validate()) {
		findings = append(findings, s.at(e))
	}
	if err := s.check(conf); wrong == nil {
		wrong = err
	} else {
		wrong = more(wrong, err)
	}
	if wrong != nil {
		return nil, nil, more(wrong, findings...)
	}
	return conf, findings, nil
}

// more adds to the errors of a file what else is wrong with it, at other keys: a key that is not known often is why another
// one is missing.
func more[E error](wrong error, others ...E) error {
	all := asErrors(wrong)
	if all == nil {
		return wrong
	}
	for _, o := range others {
		for _, e := range asErrors(o) {
			if !slices.ContainsFunc(all, func(have *kvconf.Error) bool { return have.Key == e.Key && have.Line == e.Line }) {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *kvconf.Error) int { return cmp.Compare(a.Line, b.Line) })
	return all
}

// asErrors returns the errors of a file that an error holds, nil if it holds none.
func asErrors(err error) kvconf.Errors {
	var many kvconf.Errors
	if errors.As(err, &many) {
		return slices.Clone(many)
	}
	var one *kvconf.Error
	if errors.As(err, &one) {
		return kvconf.Errors{one}
	}
	return nil
}

// hasSection makes sure that the author's struct has the section, which a file cannot make up for.
func hasSection(s Settings) error {
	text, err := kvconf.Marshal(s)
	if err != nil {
		return fmt.Errorf("config %T: %w", s, err)
	}
	if !bytes.HasPrefix(text, []byte(section+".")) && !bytes.Contains(text, []byte("\n"+section+".")) {
		return fmt.Errorf("config %T has no section %q: embed libagent.Config in it with the tag `kv:%q`", s, section, section)
	}
	return nil
}

// check returns what makes no sense in a config that was decoded from this source, with places.
func (s *source) check(c Settings) error {
	var errs kvconf.Errors
	for _, e := range c.Basic().check() {
		errs = append(errs, s.at(e))
	}
	if v, ok := c.(Validator); ok {
		errs = append(errs, s.own(v.Validate())...)
	}
	if len(errs) > 0 {
		return errs
	}
	return nil
}

// own gives the errors of the author's own check their places, where they name a key of the file.
func (s *source) own(err error) (errs kvconf.Errors) {
	if err == nil {
		return nil
	}
	leaves := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		leaves = many.Unwrap()
	}
	for _, e := range leaves {
		key, msg, found := strings.Cut(e.Error(), ": ")
		line, col, known := s.find(key)
		if !found || !known {
			key, msg = "", e.Error()
			line, col = 0, 0
		}
		errs = append(errs, &kvconf.Error{File: s.file, Line: line, Column: col, Key: key, Kind: kvconf.ErrValue, Msg: msg, Err: e})
	}
	return errs
}

// at gives an error of the section its place.
func (s *source) at(e *fieldError) *kvconf.Error {
	key := section + "." + e.key
	line, col := s.place(key)
	if s.flat {
		key = e.key
	}
	return &kvconf.Error{File: s.file, Line: line, Column: col, Key: key, Kind: kvconf.ErrValue, Msg: e.msg}
}

// place returns where a key stands, or where the section ends if it does not stand anywhere; nowhere without a file.
func (s *source) place(key string) (line, col int) {
	if s.file == "" {
		return 0, 0
	}
	if line, col, ok := s.find(key); ok {
		return line, col
	}
	line = 1
	for _, e := range s.entries {
		if strings.HasPrefix(e.Key, section+".") {
			line = e.Line
		}
	}
	return line, 1
}

// find returns where a key stands: the last one counts if there are several.
func (s *source) find(key string) (line, col int, ok bool) {
	for _, e := range slices.Backward(s.entries) {
		if e.Key == key {
			return e.Line, e.Column, true
		}
	}
	return 0, 0, false
}

// raw returns the value of a key as it stands in the file.
func (s *source) raw(key string) string {
	for _, e := range slices.Backward(s.entries) {
		if e.Key == key {
			return e.Value
		}
	}
	return ""
}

// lookup gives the values of $NAME in the settings that know it.
func (s *source) lookup(name string) (string, bool) {
	switch name {
	case "HOSTNAME":
		if v, ok := os.LookupEnv(name); ok && v != "" {
			return v, true
		}
		h, err := os.Hostname()
		return h, err == nil
	case "IP":
		if v, ok := os.LookupEnv(name); ok && v != "" {
			return v, true
		}
		first, _, _ := strings.Cut(os.ExpandEnv(s.raw(section+".server")), ",")
		addr, err := serverAddr(strings.TrimSpace(first))
		addr = hostPort(addr)
		if err != nil {
			addr = "192.0.2.1:9" // any address that is routed like the rest of the world
		}
		return outgoingIP(addr)
	}
	return os.LookupEnv(name)
}

// Check says what is wrong with a config file. Keys that nobody knows and keys that stand there twice are errors here,
// while [Run] only warns of them: a config of a newer version must not stop an old binary after a rollback.
func Check(app App, file string) error {
	_, findings, err := load(app, file)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		return kvconf.Errors(findings)
	}
	return nil
}

// LoadConfig reads a config file as Run does, for a command of the author's own. C is what the app's NewConfig returns.
func LoadConfig[C Settings](app App, file string) (C, error) {
	var none C
	s, _, err := load(app, file)
	if err != nil {
		return none, err
	}
	c, ok := s.(C)
	if !ok {
		return none, fmt.Errorf("the config is a %T", s)
	}
	return c, nil
}
