package metrics

import (
	"cmp"
	"errors"
	"path/filepath"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// agentType is the type of the agents that are asked.
const agentType = "metrics-agent"

// Config is what the feature can be told. The zero value works; the tags are keys of the section metrics.
type Config struct {
	// File gets every report as a line of JSON. By default, there is none.
	File string `kv:"file" desc:"file that gets every report as a line of JSON; empty, there is none"`

	// FileSize is at which the file is renamed to FILE.1, and a new one begun. By default, 100 MB.
	FileSize int64 `kv:"file_size,bytes" desc:"bytes at which that file is rotated"`

	// FileRotate is how many rotated files are kept. By default, 7.
	FileRotate int `kv:"file_rotate" desc:"how many rotated files are kept"`
}

// Validate says all that is wrong with the config.
func (c *Config) Validate() error {
	var wrong []error
	if c.FileSize < 1<<20 {
		wrong = append(wrong, &server.FieldError{Key: "file_size", Err: errors.New("less than 1 MiB")})
	}
	if c.FileRotate < 0 || c.FileRotate > 10000 {
		wrong = append(wrong, &server.FieldError{Key: "file_rotate", Err: errors.New("not between 0 and 10000")})
	}
	return errors.Join(wrong...)
}

// Feature is the part of the server. It is made with [New].
type Feature struct{ cfg Config }

var _ server.Configurer = (*Feature)(nil)

// New makes the feature.
func New(cfg Config) *Feature {
	cfg.FileSize = cmp.Or(cfg.FileSize, 100_000_000)
	cfg.FileRotate = cmp.Or(cfg.FileRotate, 7)
	return &Feature{cfg}
}

// Name implements [server.Feature].
func (f *Feature) Name() string { return "metrics" }

// Settings implements [server.Configurer].
func (f *Feature) Settings() any { return &f.cfg }

// Types are the messages that sinks get.
func Types() []wire.Type {
	return []wire.Type{wire.HostStatic.Reply.Type(), wire.HostDynamic.Reply.Type(), wire.MetricsStatus.Type()}
}

// Attach implements [server.Feature].
func (f *Feature) Attach(h *server.Host) error {
	registerAsk(h)
	registerStatus(h)
	registerSmart(h)
	latest, err := openLatest(h)
	if err != nil {
		return err
	}
	if err := h.Metrics().Register(latest); err != nil {
		return err
	}
	if err := server.Attach(h, "prometheus", latest, Types()...); err != nil {
		return err
	}
	if f.cfg.File == "" {
		return nil
	}
	return server.Attach(h, "metrics-file", NewLines(f.cfg.File, f.cfg.FileSize, f.cfg.FileRotate), Types()...)
}

// openLatest makes a Latest that remembers what hosts are when the server is started again: agents say that once a day only.
func openLatest(h *server.Host) (*Latest, error) {
	dir, err := h.Folder()
	if err != nil {
		return nil, err
	}
	l := NewLatest(h.Fleet())
	l.warn = func(err error) { h.Logger().Warn("metrics: not noted what hosts are", "err", err) }
	if l.facts, err = openFacts(filepath.Join(dir, "facts.jsonl")); err != nil {
		h.Logger().Warn("metrics: not known what hosts are until they say so again", "err", err)
	}
	return l, nil
}
