package docs_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
	"github.com/jkstack/jkframe/v2/kvconf"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/limit"
	"github.com/jkstack/jkframe/v2/logging"
)

// conf is a config file with the keys that every agent has.
type conf struct {
	libagent.Config `kv:"basic"`
}

// agentSettings returns what configuration.md says of an agent's keys.
func agentSettings(t *testing.T) []doccheck.Setting {
	t.Helper()
	doc := read(t, "configuration.md")
	return append(doccheck.Settings(doc, "An agent: `conf/agent.conf`", ""), doccheck.Settings(doc, "The log", "basic.")...)
}

// An operator finds every key, and no key that is not there.
func TestAgentKeys(t *testing.T) {
	byKey := func(a, b doccheck.Setting) int { return strings.Compare(a.Key, b.Key) }
	documented := slices.SortedFunc(slices.Values(agentSettings(t)), byKey)
	for i := range documented {
		documented[i].Default = ""
	}
	actual := slices.SortedFunc(slices.Values(doccheck.SettingsOf(reflect.TypeFor[conf]())), byKey)
	for _, s := range actual {
		if !slices.Contains(documented, s) {
			t.Errorf("configuration.md lacks %+v", s)
		}
	}
	for _, s := range documented {
		if !slices.Contains(actual, s) {
			t.Errorf("configuration.md has %+v, which is no key", s)
		}
	}
	if len(actual) < 20 {
		t.Errorf("only %d keys", len(actual))
	}
}

// defaultsApp notes the config that an agent has when its file has nothing but a server.
type defaultsApp struct{ got chan libagent.Config }

func (defaultsApp) Name() string                 { return "defaults-agent" }
func (defaultsApp) Version() string              { return "1.0.0" }
func (defaultsApp) NewConfig() libagent.Settings { return &conf{} }

func (a defaultsApp) Setup(ag *libagent.Agent) error {
	a.got <- libagent.ConfigOf[*conf](ag).Config
	return nil
}

// The defaults in the tables are those that an agent has.
func TestAgentDefaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.conf")
	const server = "basic.server = 127.0.0.1:13081\n"
	if err := os.WriteFile(file, []byte(server), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	a := defaultsApp{got: make(chan libagent.Config, 1)}
	if err := libagent.Run(ctx, a, &libagent.Options{ConfigFile: file, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	actual := <-a.got
	// These are filled in by the packages that they are for.
	actual.Log.Target = []string{logging.TargetStdout}
	actual.Log.Dir, actual.Log.Size, actual.Log.Rotate = logging.DefaultDir, logging.DefaultSize, logging.DefaultRotate
	actual.Log.RotateBy, actual.Log.Format, actual.Log.Flush = logging.RotateBySize, logging.FormatText, logging.DefaultFlush

	var text strings.Builder
	text.WriteString(server)
	for _, s := range agentSettings(t) {
		if s.Default != "" {
			text.WriteString(s.Key + " = " + s.Default + "\n")
		}
	}
	documented := conf{Config: libagent.Config{Log: logging.Config{Name: "defaults-agent"}, Limit: limit.Config{Name: "defaults-agent"}}}
	if err := kvconf.Unmarshal([]byte(text.String()), &documented); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(documented.Config, actual) {
		t.Errorf("documented %+v\nactual     %+v", documented.Config, actual)
	}
}

// What the page calls a mistake is one, and is told with its key; what it calls right is right.
func TestAgentRanges(t *testing.T) {
	for _, c := range []struct{ line, wrong string }{
		{"basic.server = ", "basic.server"},
		{"basic.server = a:b", "basic.server"},
		{"basic.monitor.interval = 999ms", "basic.monitor.interval"},
		{"basic.monitor.interval = 1s", ""},
		{"basic.outbox.memory = 63KiB", "basic.outbox.memory"},
		{"basic.outbox.memory = 64KiB", ""},
		{"basic.outbox.disk = 1000KiB", "basic.outbox.disk"},
		{"basic.outbox.disk = 1MiB", ""},
		{"basic.outbox.sync = never", "basic.outbox.sync"},
		{"basic.outbox.full = refuse", "basic.outbox.full"},
		{"basic.log.size = 9.5 MiB", ""},
		{"basic.log.size = null", ""},
		{"basic.log.level = verbose", "basic.log.level"},
		{`basic.limit.disk_limit = [{"dev":"8:0","read_bytes":"10M","write_bytes":"10M","read_iops":1000,"write_iops":1000}]`, ""},
		{`basic.limit.disk_limit = [{"dev":"8:0","read_byte":"10M"}]`, "read_byte"},
		{"basic.id = $NO_SUCH_VARIABLE", "basic.id"},
		{"basic.id = $HOSTNAME # a comment", ""},
		{"basic.nonsense = 1", "basic.nonsense"},
		{"id = flat", "id"}, // beside basic.server: mixed
	} {
		file := filepath.Join(t.TempDir(), "agent.conf")
		text := c.line + "\n"
		if !strings.HasPrefix(c.line, "basic.server") {
			text = "basic.server = 127.0.0.1\n" + text
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := libagent.Check(defaultsApp{}, file)
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%s: %v", c.line, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: error %v, want one about %s", c.line, err, c.wrong)
		}
	}
}

// The file at the top of the page is read as it says.
func TestFileExample(t *testing.T) {
	for _, b := range doccheck.Blocks(read(t, "configuration.md")) {
		if !strings.Contains(b.Text, "greeting") {
			continue
		}
		var got struct {
			libagent.Config `kv:"basic"`
			Greeting        string `kv:"greeting"`
		}
		if err := kvconf.Unmarshal([]byte(b.Text), &got); err != nil {
			t.Fatal(err)
		}
		if got.Greeting != "  blanks and # stay  " || got.Log.Size != 10_000_000 || len(got.Server) != 2 || got.Server[1] != "10.0.0.2:13081" {
			t.Errorf("got %+v", got)
		}
		return
	}
	t.Error("no such block")
}

// The page names the keys that count while the agent runs, and no others: what an agent does with each is asked of one.
func TestReloadedKeys(t *testing.T) {
	documented := make(map[string]bool)
	for _, table := range doccheck.Tables(read(t, "configuration.md")) {
		if len(table.Head) != 2 || table.Head[1] != "takes effect" {
			continue
		}
		for _, row := range table.Rows {
			for key := range strings.SplitSeq(row[0], ",") {
				documented[strings.Trim(key, " `")] = true
			}
		}
	}
	if len(documented) < 5 {
		t.Fatalf("documented: %v", documented)
	}
	values := map[string]string{ // that are no defaults
		"text": "x", "boolean": "false", "integer": "3", "duration": "17s", "size": "1MiB", "list": "127.0.0.2:13081",
	}
	special := map[string]string{
		"basic.log.target": "file", "basic.log.level": "debug", "basic.log.format": "json", "basic.log.rotate_by": "date",
		"basic.log.compress": "true", "basic.log.source": "true", "basic.outbox.sync": "disk", "basic.outbox.full": "drop",
		"basic.tls.fingerprint": "sha256:" + strings.Repeat("0f", 32), "basic.http.listen": "127.0.0.1:0", "basic.http.pprof": "true", "basic.limit.disk_limit": `[{"dev":"8:0","read_bytes":1}]`,
	}
	for _, s := range agentSettings(t) {
		value := values[s.Type]
		if v, ok := special[s.Key]; ok {
			value = v
		}
		log := reloadWith(t, s.Key, value)
		atStart := strings.Contains(log, "takes effect at the next start\" key="+s.Key+"\n")
		if !strings.Contains(log, "config reloaded") || atStart == documented[s.Key] {
			t.Errorf("%s = %s: documented as counting at once: %v; the agent says\n%s", s.Key, value, documented[s.Key], log)
		}
	}
}

// reloadApp changes its config as soon as it has been read.
type reloadApp struct {
	defaultsApp
	change func()
}

func (a reloadApp) Setup(*libagent.Agent) error {
	a.change()
	return nil
}

// untilSaid is a log that calls then after a text.
type untilSaid struct {
	strings.Builder // by one goroutine at a time: the handler of slog sees to it
	text            string
	then            func()
}

func (u *untilSaid) Write(p []byte) (int, error) {
	n, err := u.Builder.Write(p)
	if strings.Contains(string(p), u.text) {
		u.then()
	}
	return n, err
}

// reloadWith reloads a config in which one key has changed, and returns what the agent says.
func reloadWith(t *testing.T, key, value string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "agent.conf")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const server = "basic.server = 127.0.0.1:1\n"
	write(server)
	text := server + key + " = " + value + "\n"
	if key == "basic.server" {
		text = key + " = " + value + "\n"
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := &untilSaid{text: "config reloaded", then: cancel}
	reload := make(chan struct{}, 1)
	reload <- struct{}{}
	err := libagent.Run(ctx, reloadApp{change: func() { write(text) }}, &libagent.Options{
		ConfigFile: file, Reload: reload, Logger: slog.New(slog.NewTextHandler(said, nil)),
	})
	if err != nil {
		t.Errorf("%s = %s: %v", key, value, err)
	}
	return said.String()
}
