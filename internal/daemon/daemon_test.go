package daemon_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/internal/daemon"
	"github.com/spf13/cobra"
)

// run runs one of a program's commands.
func run(t *testing.T, p daemon.Program, args ...string) (out string, err error) {
	t.Helper()
	var said strings.Builder
	p.Stdout, p.Stderr = &said, &said
	root := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(p.Commands()...)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return said.String(), err
}

func program() daemon.Program {
	return daemon.Program{
		Name: "some-agent", Description: "some agent", Kind: "agent", Conf: "conf/agent.conf", Reload: true,
		Plan: func(string) (daemon.Plan, error) { return daemon.Plan{Warnings: []error{errors.New("a warning")}}, nil },
	}
}

// Install shows what it would do, with the config file that it was given, and without root; a plan that cannot be made is said.
func TestInstallPrint(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: what is given to this service manager is no text of ours")
	}
	conf := filepath.Join(t.TempDir(), "conf", "agent.conf")
	out, err := run(t, program(), "install", "--print", "--conf", conf, "--name", "second", "--user", "nobody")
	for _, want := range []string{conf, "second", "some agent", filepath.Dir(filepath.Dir(conf)), "nobody", "HUP"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q: %v\n%s", want, err, out)
		}
	}
	p := program()
	p.Reload = false
	if out, err := run(t, p, "install", "--print"); err != nil || strings.Contains(out, "HUP") {
		t.Errorf("a program that does not reload: %v\n%s", err, out)
	}
	if _, err := run(t, program(), "install", "--print", "--name", "../x"); err == nil || !strings.Contains(err.Error(), `service name "../x"`) {
		t.Errorf("a name that is a path: %v", err)
	}
	broken := errors.New("no such config")
	p.Plan = func(string) (daemon.Plan, error) { return daemon.Plan{}, broken }
	if out, err := run(t, p, "install"); !errors.Is(err, broken) || out != "" {
		t.Errorf("a config that cannot work: %v, %q", err, out)
	}
}

// Scripts tell a service that is not there from one that fails.
func TestNotInstalled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: the service manager of this host may need rights to be asked")
	}
	for _, action := range []string{"uninstall", "start", "stop", "restart"} {
		if _, err := run(t, program(), action, "--name", "../x"); err == nil || !strings.Contains(err.Error(), `service name "../x"`) {
			t.Errorf("%s of a name that is a path: %v", action, err)
		}
		_, err := run(t, program(), action, "--name", "no-such-service")
		if daemon.ExitCode(err) != daemon.ExitNotInstalled || !strings.Contains(fmt.Sprint(err), action+" service no-such-service: not installed") {
			t.Errorf("%s: %v", action, err)
		}
	}
	if err := daemon.Running("no-such-service"); !errors.Is(err, daemon.ErrNotInstalled) {
		t.Errorf("running: %v", err)
	}
}

func TestExitCode(t *testing.T) {
	for code, err := range map[int]error{
		0: nil, 1: errors.New("x"), 3: fmt.Errorf("x: %w (%w)", daemon.ErrNotRunning, daemon.ErrNotInstalled), 4: fmt.Errorf("x: %w", daemon.ErrNotInstalled),
	} {
		if got := daemon.ExitCode(err); got != code {
			t.Errorf("%v: %d, want %d", err, got, code)
		}
	}
}

// A service runs where relative paths of its config are meant.
func TestHome(t *testing.T) {
	for conf, want := range map[string]string{"/opt/a/conf/agent.conf": "/opt/a", "/etc/a/agent.conf": "/etc/a", "conf/agent.conf": ".", "agent.conf": "."} {
		if got := filepath.ToSlash(daemon.Home(filepath.FromSlash(conf))); got != want {
			t.Errorf("%s: %s, want %s", conf, got, want)
		}
	}
}
