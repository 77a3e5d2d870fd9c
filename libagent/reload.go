package libagent

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/jkstack/jkframe/v2/kvconf"
)

// hotKeys are the keys of every agent, without the name of the section, that count as soon as they are reloaded. The others
// count at the next start.
func hotKeys() []string {
	return []string{
		"compress", "log.level", "monitor.enabled", "monitor.interval", "reconnect.spread", "redirect.allow", "server",
		"tls.ca", "tls.fingerprint", "tls.server_name",
	}
}

// reloadWhenAsked reloads with every value of a channel, and when the config file has changed if it is watched, until ctx is
// done.
func (ag *Agent) reloadWhenAsked(ctx context.Context, asked <-chan struct{}, watch bool) {
	var changed <-chan struct{}
	if watch && ag.file != "" {
		w, err := watchFile(ag.file)
		if err != nil {
			ag.log.Warn("config file is not watched: SIGHUP has it read again", "config", ag.file, "error", err)
		} else {
			defer w.close()
			changed = w.changed
		}
	}
	for {
		select {
		case _, ok := <-asked:
			if !ok {
				asked = nil
				continue
			}
			ag.reopenLogs()
			ag.reload()
		case <-changed:
			if ag.fileChanged() {
				ag.reload()
			}
		case <-ctx.Done():
			return
		}
	}
}

func (ag *Agent) reopenLogs() {
	if ag.logs == nil {
		return
	}
	if err := ag.logs.Reopen(); err != nil {
		ag.log.Warn("log not opened again", "error", err)
	}
}

// reload reads the config file again. A bad file changes nothing; a good one counts from now on, save for what only a
// start can change, which is said.
func (ag *Agent) reload() {
	if ag.file == "" {
		return
	}
	ag.noteFile()
	var findings []*kvconf.Error
	err := ag.take(func(Settings) (s Settings, err error) {
		s, findings, err = load(ag.app, ag.file)
		return s, err
	}, func() { ag.noteFindings(findings) })
	if err != nil {
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
	if !slices.Equal(old.Basic().Server, s.Basic().Server) {
		ag.otherServers()
	}
	taken()
	ag.noteChanges(old, s)
	ag.log.Info("config reloaded")
	return nil
}

// withinTake says whether take is what has called the author's code that calls this: another take would wait for itself. Only the
// stack tells that from a goroutine that need only wait.
func withinTake() bool {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(1, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 2*len(pcs))
		n = runtime.Callers(1, pcs)
	}
	for frames, more := runtime.CallersFrames(pcs[:n]), true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); strings.HasSuffix(f.Function, "/libagent.(*Agent).take") {
			return true
		}
	}
	return false
}

// noteChanges says what of a new config takes effect at the next start only.
func (ag *Agent) noteChanges(old, s Settings) {
	changed := changedKeys(old, s)
	own := slices.DeleteFunc(slices.Clone(changed), func(key string) bool { return strings.HasPrefix(key, section+".") })
	if _, ok := ag.app.(Reloader); !ok && len(own) > 0 {
		ag.log.Info("config: what this agent has read at its start takes effect at the next one", "keys", own)
	}
	if id := s.Basic().ID; id != "" && id != ag.ID() {
		ag.log.Warn("config: takes effect at the next start", "key", section+".id")
	}
	for _, key := range changed {
		if name, ok := strings.CutPrefix(key, section+"."); ok && name != "id" && !slices.Contains(hotKeys(), name) {
			ag.log.Warn("config: takes effect at the next start", "key", key)
		}
	}
}

// changedKeys returns the keys in which two configs differ, in the order of the file.
func changedKeys(old, new Settings) []string {
	values := make(map[string]string)
	var keys []string
	for i, s := range []Settings{old, new} {
		entries, err := entriesOf(s)
		if err != nil {
			continue // a file was decoded into it, so it can be written
		}
		for _, e := range entries {
			before, known := values[e.Key]
			switch {
			case i == 0:
				values[e.Key] = e.Value
			case known && before == e.Value:
				delete(values, e.Key)
			default:
				delete(values, e.Key)
				keys = append(keys, e.Key)
			}
		}
	}
	for key := range values { // what is in the old one alone
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// entriesOf returns the settings of a config as they would stand in a file.
func entriesOf(s Settings) ([]kvconf.Entry, error) {
	text, err := kvconf.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("config %T: %w", s, err)
	}
	doc, err := kvconf.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("config %T: %w", s, err)
	}
	return doc.Entries(), nil
}
