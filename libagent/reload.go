package libagent

import (
	"reflect"
)

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
	s, findings, _, err := load(ag.app, ag.file)
	if err != nil {
		ag.log.Error("config not reloaded: the old one stays", "error", err)
		return
	}
	for _, f := range findings {
		ag.log.Warn("config: ignored", "error", f)
	}
	old := *ag.conf.Load()
	if r, ok := ag.app.(Reloader); ok {
		if err := ag.guard("Reload", "", func() error { return r.Reload(ag, old, s) }); err != nil {
			ag.log.Error("config not reloaded: the old one stays", "error", err)
			return
		}
	}
	ag.conf.Store(&s)
	if ag.logs != nil {
		ag.logs.SetLevel(s.Basic().Log.Level)
	}
	ag.log.Info("config reloaded")
	for _, key := range needStart(old.Basic(), s.Basic()) {
		ag.log.Warn("config: takes effect at the next start", "key", section+"."+key)
	}
}

// needStart returns what differs between two configs and cannot change while the agent runs.
func needStart(old, new *Config) []string {
	var keys []string
	differ := func(key string, a, b any) {
		if !reflect.DeepEqual(a, b) {
			keys = append(keys, key)
		}
	}
	differ("id", old.ID, new.ID)
	a, b := old.Log, new.Log
	a.Level = b.Level
	differ("log", a, b)
	differ("limit", old.Limit, new.Limit)
	differ("outbox", old.Outbox, new.Outbox)
	return keys
}
