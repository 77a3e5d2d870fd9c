package libagent

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// reloadWhenAsked reloads with every value of a channel, until ctx is done.
func (ag *Agent) reloadWhenAsked(ctx context.Context, reload <-chan struct{}) {
	for {
		select {
		case _, ok := <-reload:
			if !ok {
				return
			}
			ag.reload()
		case <-ctx.Done():
			return
		}
	}
}

// reload reads the config file again. A bad file changes nothing; a good one counts from now on, save for what only a
// start can change, which is said.
func (ag *Agent) reload() {
	if ag.logs != nil {
		if err := ag.logs.Reopen(); err != nil {
			ag.log.Warn("log not opened again", "error", err)
		}
	}
	if ag.file == "" {
		return
	}
	s, findings, err := load(ag.app, ag.file)
	if err != nil {
		ag.log.Error("config not reloaded: the old one stays", "error", err)
		return
	}
	ag.noteFindings(findings)
	if err := ag.take(func(Settings) (Settings, error) { return s, nil }, func() {}); err != nil {
		ag.log.Error("config not reloaded: the old one stays", "error", err)
	}
}

// take has a new config, which is made from the current one, count from now on, unless its maker or the author refuses it. Taken is
// called before another one can be.
func (ag *Agent) take(change func(old Settings) (Settings, error), taken func()) error {
	ag.taking <- struct{}{}
	defer func() { <-ag.taking }()
	old := *ag.conf.Load()
	s, err := change(old)
	if err != nil {
		return err
	}
	if r, ok := ag.app.(Reloader); ok {
		if err := ag.guard("Reload", "", func() error { return r.Reload(ag, old, s) }); err != nil {
			return err
		}
	}
	ag.conf.Store(&s)
	if ag.logs != nil {
		ag.logs.SetLevel(s.Basic().Log.Level)
	}
	ag.noteChanges(old, s)
	taken()
	return nil
}

// noteChanges says what a new config changes, and what it cannot.
func (ag *Agent) noteChanges(old, s Settings) {
	ag.log.Info("config reloaded")
	if _, ok := ag.app.(Reloader); !ok && ownChanged(old, s) {
		ag.log.Warn("config: this agent takes changes of its own settings at the next start")
	}
	if !slices.Equal(old.Basic().Server, s.Basic().Server) {
		ag.log.Info("config: other servers, from the next connection on")
	}
	if id := s.Basic().ID; id != "" && id != ag.ID() {
		ag.log.Warn("config: takes effect at the next start", "key", section+".id")
	}
	for _, key := range needStart(old.Basic(), s.Basic()) {
		ag.log.Warn("config: takes effect at the next start", "key", section+"."+key)
	}
}

// ownChanged tells whether two configs differ in more than what every agent has.
func ownChanged(old, new Settings) bool {
	a, errA := kvconf.Marshal(old)
	b, errB := kvconf.Marshal(new)
	own := func(text []byte) string {
		var lines []string
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, section+".") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "")
	}
	return errA != nil || errB != nil || own(a) != own(b)
}

// needStart returns what differs between two configs and cannot change while the agent runs.
func needStart(old, new *Config) []string {
	var keys []string
	differ := func(key string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			keys = append(keys, key)
		}
	}
	a, b := old.Log, new.Log
	a.Level = b.Level
	differ("log", a, b)
	differ("limit", old.Limit, new.Limit)
	differ("outbox", old.Outbox, new.Outbox)
	differ("http", old.HTTP, new.HTTP)
	return keys
}
