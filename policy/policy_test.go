package policy_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/policy"
)

func parse(t testing.TB, text string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(text), "policy.conf")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIP: the programs are those of Unix")
	}
	ls, err := exec.LookPath("ls")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "harmless")
	if err := os.Symlink(ls, link); err != nil {
		t.Fatal(err)
	}
	order := func(args ...string) policy.Order { return policy.Order{Path: args[0], Args: args[1:]} }
	line := func(text string) policy.Order { return policy.Order{Line: text} }
	const on = "exec.enabled = true\n"
	for name, tt := range map[string]struct {
		policy string
		order  policy.Order
		refuse string // a part of the reason, "" if it may run
	}{
		"nothing is said":              {"", order(ls), "exec.enabled is false"},
		"nothing is allowed":           {on, order(ls), "exec.allow does not have"},
		"all":                          {on + "exec.allow = *", order("/any/thing", "x"), ""},
		"name":                         {on + "exec.allow = id,ls", order(ls, "-l", "/"), ""},
		"name of another place":        {on + "exec.allow = ls", order("/tmp/ls"), `does not have "/tmp/ls"`},
		"path":                         {on + "exec.allow = /opt/*/run-?", order("/opt/a/b/run-1"), ""},
		"another path":                 {on + "exec.allow = /opt/*/run-?", order("/opt/a/run-12"), "exec.allow"},
		"arguments":                    {on + "exec.allow = ls -l /var/*", order(ls, "-l", "/var/log"), ""},
		"one argument too many":        {on + "exec.allow = ls -l /var/*", order(ls, "-l", "/var/log", "/etc"), "exec.allow"},
		"other arguments":              {on + "exec.allow = ls -l /var/*", order(ls, "-l", "/etc"), "exec.allow"},
		"any number of arguments":      {on + "exec.allow = ls -l *", order(ls, "-l", "/var/log", "/etc"), ""},
		"and none":                     {on + "exec.allow = ls -l *", order(ls, "-l"), ""},
		"denied":                       {on + "exec.allow = *\nexec.deny = ls", order(ls), `exec.deny has "ls"`},
		"denied by another name":       {on + "exec.allow = *\nexec.deny = " + filepath.Base(real(t, ls)), order(link), "exec.deny"},
		"denied with arguments":        {on + "exec.allow = *\nexec.deny = ls -R *", order(ls, "-R", "/"), "exec.deny"},
		"not denied with others":       {on + "exec.allow = *\nexec.deny = ls -R *", order(ls, "-l"), ""},
		"line":                         {on + "exec.allow = *", line("ls; id"), ""},
		"line with a list":             {on + "exec.allow = ls", line("ls"), "exec.shell is not true"},
		"line with a list and a shell": {on + "exec.allow = ls\nexec.shell = true", line("ls; id"), ""},
		"line without a shell":         {on + "exec.allow = *\nexec.shell = false", line("ls"), "exec.shell is false"},
		"line with a denied word":      {on + "exec.allow = *\nexec.deny = rm -rf *", line("cd /; (/bin/rm -rf x)"), "exec.deny"},
		"line without":                 {on + "exec.allow = *\nexec.deny = rm -rf *", line("rm -f x -rf"), ""},
		"user":                         {on + "exec.allow = *", policy.Order{Path: ls, User: "root"}, `exec.users does not have "root"`},
		"allowed user":                 {on + "exec.allow = *\nexec.users = app,web-*", policy.Order{Path: ls, User: "web-1"}, ""},
		"any user":                     {on + "exec.allow = *\nexec.users = *", policy.Order{Path: ls, User: "root"}, ""},
		"variable":                     {on + "exec.allow = *", policy.Order{Path: ls, Env: []string{"LD_PRELOAD=x"}}, ""},
		"variable with a list":         {on + "exec.allow = ls", policy.Order{Path: ls, Env: []string{"LD_PRELOAD=x"}}, `exec.env does not have "LD_PRELOAD"`},
		"allowed variable":             {on + "exec.allow = ls\nexec.env = LC_*", policy.Order{Path: ls, Env: []string{"LC_ALL=C"}}, ""},
		"variable, none allowed":       {on + "exec.allow = *\nexec.env = ", policy.Order{Path: ls, Env: []string{"A=x"}}, "exec.env"},
	} {
		err := parse(t, tt.policy).Command(tt.order)
		if tt.refuse == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if tt.refuse != "" && (!errors.Is(err, policy.ErrRefused) || !strings.Contains(err.Error(), tt.refuse) || !strings.Contains(err.Error(), "policy.conf")) {
			t.Errorf("%s: %v, want a refusal with %q", name, err, tt.refuse)
		}
	}
}

func real(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A mistake in the file never allows more than was meant: all of it is refused, with every mistake at its place.
func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"exec.enabled = true\nexec.alow = *":   "exec.alow",
		"exec.enabled = maybe":                 "policy.conf:1:16",
		"file.read = var/log":                  `file.read: "var/log" is no absolute path`,
		"exec.timeout = -1s\nfile.size = 1":    "exec.timeout",
		"exec.allow = ls\nexec.allow = *":      "exec.allow",
		"exec.enabled = true\nexec.output = x": "exec.output",
	} {
		if _, err := policy.Parse([]byte(text), "policy.conf"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestBounds(t *testing.T) {
	p := parse(t, "")
	if p.MaxTimeout(time.Hour) != time.Hour || p.MaxTimeout(0) != 0 || p.MaxOutput() != 64<<20 || p.AtOnce() != 64 || p.MaxProcesses() != 4096 || p.MaxFile() != 16<<30 {
		t.Error("defaults")
	}
	p = parse(t, "exec.timeout = 1m\nexec.output = 1KiB\nexec.at_once = 2\nexec.processes = 3\nfile.size = 5")
	if p.MaxTimeout(time.Hour) != time.Minute || p.MaxTimeout(0) != time.Minute || p.MaxTimeout(time.Second) != time.Second {
		t.Error("timeout")
	}
	if p.MaxOutput() != 1024 || p.AtOnce() != 2 || p.MaxProcesses() != 3 || p.MaxFile() != 5 {
		t.Error("sizes")
	}
}

// An edit holds from the next order on, and whatever is wrong with the file refuses everything.
func TestSource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.conf")
	s := policy.NewSource(file)
	refused := func(why string) {
		t.Helper()
		for _, err := range []error{s.Current().Command(policy.Order{Path: "/bin/ls"}), s.Current().Files()} {
			if !errors.Is(err, policy.ErrRefused) || !strings.Contains(err.Error(), why) {
				t.Errorf("error %v, want a refusal with %q", err, why)
			}
		}
		if s.Current().Check() == nil {
			t.Error("no reason why everything is refused")
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused("policy init")
	write("exec.enabled = true\nexec.allow = *\n")
	if err := s.Current().Command(policy.Order{Path: "/bin/ls"}); err != nil || s.Current().Check() != nil {
		t.Error(err)
	}
	write("exec.enabled = true\nexec.allow = %\n")
	if err := s.Current().Command(policy.Order{Path: "/bin/ls"}); err == nil {
		t.Error("the edit is not seen")
	}
	write("nonsense")
	refused("cannot be used")
	write(strings.Repeat("#\n", 1<<20))
	refused("too many")
	write("exec.enabled = true\nexec.allow = *\n")
	if runtime.GOOS != "windows" {
		if err := os.Chmod(file, 0o620); err != nil {
			t.Fatal(err)
		}
		refused("others may write to it")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	refused("there is no policy")
	if os.Geteuid() == 0 {
		write("exec.enabled = true\nexec.allow = *\n")
		if err := os.Chown(file, 12345, 0); err != nil {
			t.Fatal(err)
		}
		refused("belongs to user 12345")
	}
}

// The first policy lets nothing happen that does harm, and never takes the place of another one.
func TestInit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "conf", "policy.conf")
	if err := policy.Init(file); err != nil {
		t.Fatal(err)
	}
	p := policy.NewSource(file).Current()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	if len(p.File.Write) > 0 || len(p.Exec.Users) > 0 || p.Exec.Shell == nil || *p.Exec.Shell || len(p.File.Read) == 0 || p.File.SetID {
		t.Errorf("%+v", p)
	}
	id, err := exec.LookPath("hostname")
	if err != nil {
		t.Skip("SKIP: ", err)
	}
	if err := p.Command(policy.Order{Path: id}); err != nil {
		t.Error(err)
	}
	if err := p.Command(policy.Order{Path: "/bin/sh", Args: []string{"-c", "id"}}); err == nil {
		t.Error("a shell is allowed")
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := policy.Init(file); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("a second time: %v", err)
	}
}

// Patterns come from the host's owner and commands from anywhere: no pair of them takes long or panics, and what is allowed
// stays so when the list grows.
func FuzzCommand(f *testing.F) {
	f.Add("ls -l *", "/bin/ls", "-l\x1f/var", "ls")
	f.Add("*a*a*a*b", strings.Repeat("a", 100), "", "?")
	f.Fuzz(func(t *testing.T, pattern, path, args, deny string) {
		if strings.TrimSpace(pattern) == "" || strings.TrimSpace(deny) == "" {
			return
		}
		p := &policy.Policy{Exec: policy.Exec{Enabled: true, Allow: []string{pattern}}}
		o := policy.Order{Path: path, Args: strings.Split(args, "\x1f")}
		allowed := p.Command(o) == nil
		p.Exec.Allow = append(p.Exec.Allow, "another")
		if now := p.Command(o) == nil; now != allowed && allowed {
			t.Errorf("%q: allowed by %q, and not by a longer list", path, pattern)
		}
		p.Exec.Deny = []string{deny}
		if p.Command(o) == nil && !allowed && filepath.Base(path) != "another" {
			t.Errorf("%q: exec.deny allows it", path)
		}
		_ = p.Command(policy.Order{Line: path + " " + args})
	})
}
