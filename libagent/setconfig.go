package libagent

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// SetConfig changes a setting of the author's own while the agent runs, such as "task.jobs" to "static,usage", as text like in a
// key = value file. The new config is checked, given to [Reloader], and counts from then on; then the setting is written into the
// config file, in place, with every comment kept. A value that cannot be used is an error and changes nothing.
//
// Without a file, or with one that cannot be written, which is logged, the change lasts until the config is read again.
//
// One config is taken after the other: SetConfig waits while another one is. Within [Reloader], NewConfig or Validate it returns
// [ErrReloading] at once; a goroutine that they start may call it, and it is taken after theirs, so that they must not wait for it.
func (ag *Agent) SetConfig(key, value string) error {
	if key == section || strings.HasPrefix(key, section+".") || isBasic(key) {
		return fmt.Errorf("set config: %s is not the agent's own", key)
	}
	if strings.Contains(value, "$") {
		// In the file it would be a variable, and show whoever sent the value what is in the agent's environment.
		return fmt.Errorf("set config: %s: %q holds a $", key, value)
	}
	if len(ag.taking) > 0 && withinTake() {
		return fmt.Errorf("set config: %s: %w", key, ErrReloading)
	}
	return ag.take(func(old Settings) (Settings, error) {
		src, err := ag.settings(old)
		if err != nil {
			return nil, fmt.Errorf("set config: %w", err)
		}
		src.set(key, value)
		s, findings, err := src.load(ag.app)
		if err != nil {
			return nil, fmt.Errorf("set config: %w", err)
		}
		for _, f := range findings {
			if f.Key == key {
				return nil, fmt.Errorf("set config: %w", f)
			}
		}
		return s, nil
	}, func() {
		if ag.file == "" {
			return
		}
		if err := ag.editFile(func() error { return writeSetting(ag.file, key, value) }); err != nil {
			ag.log.Warn("setting not written into the config, and kept in memory", "key", key, "config", ag.file, "error", err)
		}
	})
}

// settings returns what the config is made of: the file as it is now, or the config that the agent was started with.
func (ag *Agent) settings(old Settings) (*source, error) {
	if ag.file != "" {
		return readSource(ag.file)
	}
	text, err := kvconf.Marshal(old)
	if err != nil {
		return nil, err
	}
	doc, err := kvconf.Parse(text)
	if err != nil {
		return nil, err
	}
	return &source{entries: doc.Entries()}, nil
}

// set puts a setting in the place of those with its key.
func (s *source) set(key, value string) {
	s.entries = append(slices.DeleteFunc(s.entries, func(e kvconf.Entry) bool { return e.Key == key }), kvconf.Entry{Key: key, Value: value})
}
