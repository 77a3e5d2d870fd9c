package smart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// script is what main.yaml says.
type script struct {
	Name    string `yaml:"name"`
	Timeout int    `yaml:"timeout"` // seconds, for the whole; 0 for none
	Tasks   []task `yaml:"tasks"`
}

// task is one step on a node.
type task struct {
	Name    string `yaml:"name"`
	Plugin  string `yaml:"plugin"` // exec or file
	Auth    string `yaml:"auth"`   // "", sudo or su
	Timeout int    `yaml:"timeout"`
	If      string `yaml:"if"`

	Cmd    string `yaml:"cmd"`
	Output string `yaml:"output"`

	Action string `yaml:"action"` // push or pull
	Src    string `yaml:"src"`
	Dst    string `yaml:"dst"`

	when *condition // of If; nil: always
}

// The words of a script.
const (
	pluginExec = "exec"
	pluginFile = "file"
	actionPush = "push"
	actionPull = "pull"
)

// maxTasks is how many tasks a script may have, maxName how many bytes the name of one, which each node repeats that fails, and
// maxTaskTime the longest that one may take, in seconds.
const (
	maxTasks    = 1000
	maxName     = 1000
	maxTaskTime = 7 * 24 * 3600
)

// builtin are the variables that every node has.
func builtin() []string { return []string{"ID", "IDX", "EVEN", "ODD", "DEADLINE"} }

// variable is how the name of a variable looks.
var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseScript reads main.yaml or main.json, and says all that is wrong with it.
func parseScript(name string, text []byte) (*script, error) {
	s := &script{}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(s); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var all []error
	switch {
	case len(s.Tasks) == 0:
		all = append(all, errors.New("tasks: there are none"))
	case len(s.Tasks) > maxTasks: // nobody reads what else is wrong with each
		return nil, fmt.Errorf("%s: tasks: %d are more than %d", name, len(s.Tasks), maxTasks)
	case s.Timeout < 0 || s.Timeout > maxTaskTime:
		all = append(all, fmt.Errorf("timeout: %d is not within 0 and %d", s.Timeout, maxTaskTime))
	}
	known := builtin()
	for i := range s.Tasks {
		t := &s.Tasks[i]
		for _, err := range t.check(known) {
			all = append(all, fmt.Errorf("task %d (%.100q): %w", i+1, t.Name, err))
		}
		if t.Output != "" {
			known = append(known, t.Output)
		}
	}
	if len(all) > 0 {
		return nil, fmt.Errorf("%s: %w", name, errors.Join(all...))
	}
	return s, nil
}

// check says what is wrong with a task, before which the given variables are set.
func (t *task) check(known []string) (all []error) {
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if len(t.Name) > maxName {
		bad("name: it has %d bytes, which are more than %d", len(t.Name), maxName)
	}
	if t.Timeout < 0 || t.Timeout > maxTaskTime {
		bad("timeout: %d is not within 0 and %d", t.Timeout, maxTaskTime)
	}
	if !slices.Contains([]string{"", "sudo", "su"}, t.Auth) {
		bad("auth: %.100q is neither sudo nor su", t.Auth)
	}
	if t.If != "" {
		var err error
		if t.when, err = parseCondition(t.If, known); err != nil {
			bad("if: %w", err)
		}
	}
	switch t.Plugin {
	case pluginExec:
		t.checkExec(bad)
	case pluginFile:
		t.checkFile(bad, known)
	default:
		bad("plugin: %.100q is neither exec nor file", t.Plugin)
	}
	return all
}

func (t *task) checkExec(bad func(string, ...any)) {
	if t.Cmd == "" {
		bad("cmd: it is missing")
	}
	if t.Output != "" && (!variable.MatchString(t.Output) || slices.Contains(builtin(), t.Output)) {
		bad("output: %.100q is no name of a variable", t.Output)
	}
	if t.Action != "" || t.Src != "" || t.Dst != "" {
		bad("action, src and dst are of the plugin file")
	}
}

func (t *task) checkFile(bad func(string, ...any), known []string) {
	if t.Cmd != "" || t.Output != "" {
		bad("cmd and output are of the plugin exec")
	}
	remote, local := t.Dst, t.Src
	switch t.Action {
	case actionPush:
	case actionPull:
		remote, local = t.Src, t.Dst
	default:
		bad("action: %.100q is neither push nor pull", t.Action)
		return
	}
	if !isAbsAnywhere(remote) {
		bad("%.200q is no absolute path on the agent", remote)
	}
	if local == "" || t.Action == actionPull && !filepath.IsAbs(local) {
		bad("%.200q is no absolute path on the server", local)
	}
	for _, text := range []string{t.Src, t.Dst} {
		if _, err := expand(text, func(name string) (string, bool) { return "", slices.Contains(known, name) }); err != nil {
			bad("%w", err)
		}
	}
}

// isAbsAnywhere reports whether a path is absolute on Linux or on Windows.
func isAbsAnywhere(p string) bool {
	if path.IsAbs(p) {
		return true
	}
	return len(p) > 2 && p[1] == ':' && (p[2] == '\\' || p[2] == '/') && strings.ContainsRune("abcdefghijklmnopqrstuvwxyz", rune(p[0]|0x20))
}

// reference is a variable in a text.
var reference = regexp.MustCompile(`\$([A-Za-z_][A-Za-z0-9_]*)`)

// maxPath is how long a path may be, in bytes: no system has longer ones, and what variables hold is for the agent to say.
const maxPath = 32 << 10

// expand puts the values of variables into a path.
func expand(text string, value func(string) (string, bool)) (string, error) {
	if len(text) > maxPath {
		return "", fmt.Errorf("a path of %d bytes", len(text))
	}
	var wrong error
	left := maxPath - len(text)
	out := reference.ReplaceAllStringFunc(text, func(m string) string {
		v, ok := value(m[1:])
		switch left -= len(v); {
		case !ok:
			wrong = fmt.Errorf("%.100s is no variable", m)
		case left < 0:
			wrong = fmt.Errorf("with %.100s, a path has more than %d bytes", m, maxPath)
			return ""
		}
		return v
	})
	return out, wrong
}

// time is how long a task may take.
func (t *task) time(def time.Duration) time.Duration {
	if t.Timeout == 0 {
		return def
	}
	return time.Duration(t.Timeout) * time.Second
}
