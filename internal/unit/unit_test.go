package unit_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/unit"
)

func Example() {
	s := unit.Service{
		Name: "my-agent", Description: "my agent", Executable: "/opt/my-agent/bin/my-agent",
		Args: []string{"run", "--conf", "/opt/my-agent/conf/agent.conf"}, Dir: "/opt/my-agent", User: "my-agent",
	}
	for line := range strings.Lines(unit.Systemd(s)) {
		if strings.HasPrefix(line, "ExecStart") {
			fmt.Print(line)
		}
	}
	// Output: ExecStart=/opt/my-agent/bin/my-agent run --conf /opt/my-agent/conf/agent.conf
}

// odd is a service whose words have everything in them that a service manager or a shell might take for something else.
func odd(dir string) unit.Service {
	return unit.Service{
		Name: "odd_agent", Description: "100% agent", Executable: dir + "/it's $HOME/agent",
		Args: []string{"", "a b", `"q"`, "it's", "$HOME", "%n", `\`, "`id`", ";", "*"}, Dir: dir + "/it's $HOME", User: "root", Reload: true,
	}
}

// systemd itself reads the unit, and what it would run is what was meant.
func TestSystemd(t *testing.T) {
	text := unit.Systemd(odd("/opt"))
	for _, want := range []string{
		"Description=100%% agent\n", "User=root\n", "Restart=always\n", "LimitNOFILE=65536\n", "Delegate=yes\n", "WorkingDirectory=/opt/it's $HOME\n",
		`ExecStart="/opt/it's $$HOME/agent" "" "a b" "\"q\"" "it's" $$HOME %%n "\\" ` + "`id`" + ` ";" *` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("SKIP: systemd is not installed")
	}
	s := odd("/opt")
	s.Executable, s.Dir = "/bin/true", "/"
	file := filepath.Join(t.TempDir(), "odd_agent.service")
	if err := os.WriteFile(file, []byte(unit.Systemd(s)), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), analyze, "verify", "--man=no", file).CombinedOutput(); err != nil || strings.Contains(string(said), "odd_agent") {
		t.Errorf("systemd-analyze: %v\n%s", err, said)
	}
}

// A shell runs the program with the words that were meant, and none of them as a command.
func TestScriptsQuote(t *testing.T) {
	dir := t.TempDir()
	s := odd(dir)
	for name, script := range map[string]string{
		"System V": strings.Replace(unit.SysV(s), `case "$1" in`, "sh -c \"exec $command\"\nexit\ncase \"$1\" in", 1),
		"OpenRC":   unit.OpenRC(s) + "\neval \"set -- $command_args\"\n\"$command\" \"$@\"\n",
	} {
		if err := os.MkdirAll(filepath.Dir(s.Executable), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.Executable, []byte("#!/bin/sh\nfor w; do echo \"<$w>\"; done\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-s")
		cmd.Stdin = strings.NewReader(script)
		cmd.Dir = dir
		said, err := cmd.Output()
		if want := "<" + strings.Join(s.Args, ">\n<") + ">\n"; err != nil || string(said) != want {
			t.Errorf("%s: %q, %v, want %q", name, said, err, want)
		}
	}
}

// The scripts are such as any shell reads.
func TestScriptsParse(t *testing.T) {
	for name, script := range map[string]string{"System V": unit.SysV(odd("/opt")), "OpenRC": unit.OpenRC(odd("/opt"))} {
		cmd := exec.CommandContext(t.Context(), "sh", "-n")
		cmd.Stdin = strings.NewReader(script)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
}

// What would be written into a file of the system is what it says it is.
func TestCheck(t *testing.T) {
	good := unit.Service{Name: "a-1.x@y", Description: "d", Executable: "/e", Dir: "/", User: "u"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*unit.Service){
		"no name":            func(s *unit.Service) { s.Name = "" },
		"name that is path":  func(s *unit.Service) { s.Name = "../../etc/cron.d/x" },
		"name like a flag":   func(s *unit.Service) { s.Name = "-x" },
		"user":               func(s *unit.Service) { s.User = "root\nExecStartPre=/bin/evil" },
		"relative program":   func(s *unit.Service) { s.Executable = "agent" },
		"relative folder":    func(s *unit.Service) { s.Dir = "." },
		"line in a word":     func(s *unit.Service) { s.Args = []string{"a\nUser=root"} },
		"line in what it is": func(s *unit.Service) { s.Description = "a\rb" },
	} {
		s := good
		change(&s)
		if s.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
