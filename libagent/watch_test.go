package libagent_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
)

// watchApp says which greeting counts.
type watchApp struct {
	testApp
	now chan string
}

func (a *watchApp) Reload(_ *libagent.Agent, _, new libagent.Settings) error {
	a.now <- new.(*testConf).Greeting
	return nil
}

// lines is a log that a test looks at.
type lines struct {
	mu    sync.Mutex // guards what follows
	buf   strings.Builder
	wants string      // what is waited for in a line
	found chan string // the line
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.wants != "" && strings.Contains(string(p), l.wants) {
		l.wants = ""
		l.found <- string(p)
	}
	return l.buf.Write(p)
}

// waitFor does something and waits for a line that it leads to.
func (l *lines) waitFor(want string, do func()) string {
	found := make(chan string, 1)
	l.mu.Lock()
	l.wants, l.found = want, found
	l.mu.Unlock()
	do()
	return <-found
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *lines) count(s string) int { return strings.Count(l.String(), s) }

// watched runs an agent that watches its config file.
func watched(t *testing.T, file string) (now <-chan string, log *lines) {
	t.Helper()
	ready := make(chan struct{})
	app := &watchApp{now: make(chan string, 100)}
	app.setup = func(ag *libagent.Agent) error {
		return ag.Go("ready", func(context.Context, *libagent.Agent) error {
			close(ready)
			return nil
		})
	}
	log = &lines{}
	agenttest.NewServer(t, nil).Start(app, &libagent.Options{ConfigFile: file, Watch: true, Logger: slog.New(slog.NewTextHandler(io.MultiWriter(log, t.Output()), nil))})
	<-ready
	return app.now, log
}

func confText(greeting string) []byte {
	return []byte("basic.id = a\nbasic.server = 127.0.0.1:1\ngreeting = " + greeting + "\n")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// However a file comes to hold something else, the agent has it: written over, replaced by an editor, by a folder that a link
// leads to, as ConfigMaps are, or by a link somewhere else.
func TestWatch(t *testing.T) {
	for name, arrange := range map[string]func(t *testing.T, dir string) (file string, change func(greeting string)){
		"written over": func(t *testing.T, dir string) (string, func(string)) {
			file := filepath.Join(dir, "agent.conf")
			must(t, os.WriteFile(file, confText("first"), 0o600))
			return file, func(greeting string) { must(t, os.WriteFile(file, confText(greeting), 0o600)) }
		},
		"in pieces": func(t *testing.T, dir string) (string, func(string)) {
			file := filepath.Join(dir, "agent.conf")
			must(t, os.WriteFile(file, confText("first"), 0o600))
			return file, func(greeting string) {
				f, err := os.Create(file)
				must(t, err)
				for _, b := range confText(greeting) {
					_, err := f.Write([]byte{b})
					must(t, err)
				}
				must(t, f.Close())
			}
		},
		"renamed by an editor": func(t *testing.T, dir string) (string, func(string)) {
			file := filepath.Join(dir, "agent.conf")
			must(t, os.WriteFile(file, confText("first"), 0o600))
			return file, func(greeting string) {
				must(t, os.Rename(file, file+"~"))
				must(t, os.WriteFile(file+".new", confText(greeting), 0o600))
				must(t, os.Rename(file+".new", file))
				must(t, os.Remove(file+"~"))
			}
		},
		"a ConfigMap": func(t *testing.T, dir string) (string, func(string)) {
			put := func(greeting string) {
				real := filepath.Join(dir, ".."+greeting)
				must(t, os.Mkdir(real, 0o700))
				must(t, os.WriteFile(filepath.Join(real, "agent.conf"), confText(greeting), 0o600))
				must(t, os.Symlink(".."+greeting, filepath.Join(dir, "..data_tmp")))
				must(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
			}
			put("first")
			file := filepath.Join(dir, "agent.conf")
			must(t, os.Symlink(filepath.Join("..data", "agent.conf"), file))
			return file, func(greeting string) {
				old, err := os.Readlink(filepath.Join(dir, "..data"))
				must(t, err)
				put(greeting)
				must(t, os.RemoveAll(filepath.Join(dir, old)))
			}
		},
		"a link to another folder": func(t *testing.T, dir string) (string, func(string)) {
			elsewhere := t.TempDir()
			real, file := filepath.Join(elsewhere, "real.conf"), filepath.Join(dir, "agent.conf")
			must(t, os.WriteFile(real, confText("first"), 0o600))
			must(t, os.Symlink(real, file))
			return file, func(greeting string) { must(t, os.WriteFile(real, confText(greeting), 0o600)) }
		},
		"a release that is switched": func(t *testing.T, dir string) (string, func(string)) {
			release := func(greeting string) {
				must(t, os.MkdirAll(filepath.Join(dir, greeting, "conf"), 0o700))
				must(t, os.WriteFile(filepath.Join(dir, greeting, "conf", "agent.conf"), confText(greeting), 0o600))
				must(t, os.Symlink(greeting, filepath.Join(dir, "next")))
				must(t, os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "current")))
			}
			release("first")
			return filepath.Join(dir, "current", "conf", "agent.conf"), release
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Symlink("x", filepath.Join(dir, "link")); err != nil {
				t.Skip("SKIP: no symbolic links here: ", err)
			}
			file, change := arrange(t, dir)
			now, log := watched(t, file)
			for _, greeting := range []string{"second", "third"} {
				change(greeting)
				if got := <-now; got != greeting {
					t.Errorf("the greeting is %q, want %q", got, greeting)
				}
			}
			if len(now) > 0 || log.count("config reloaded") > 2 || log.count("config not reloaded") > 0 {
				t.Errorf("more than two reloads:\n%s", log)
			}
		})
	}
}

// A bad file changes nothing and says why, once; the next good one counts.
func TestWatchBadFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.conf")
	must(t, os.WriteFile(file, confText("first"), 0o600))
	now, log := watched(t, file)
	complaint := log.waitFor("config not reloaded", func() {
		must(t, os.WriteFile(file, []byte("basic.server = 127.0.0.1:1\nbasic.monitor.interval = soon\n"), 0o600))
	})
	if !strings.Contains(complaint, "agent.conf:2:") {
		t.Errorf("the log does not say where the mistake is:\n%s", complaint)
	}
	must(t, os.WriteFile(file, confText("second"), 0o600))
	if got := <-now; got != "second" {
		t.Errorf("the greeting is %q", got)
	}
	if n := log.count("config not reloaded"); n != 1 {
		t.Errorf("the mistake was told %d times", n)
	}
}
