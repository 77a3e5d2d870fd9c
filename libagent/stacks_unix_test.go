//go:build unix

package libagent_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// An agent that hangs shows on what: SIGQUIT writes the stacks into the log, and ends it as it ends every Go program.
func TestQuitShowsStacks(t *testing.T) {
	up := make(chan struct{}, 1)
	addr := realServer(t, func(wire.ComePayload, *conn.Conn) { up <- struct{}{} })
	dir := t.TempDir()
	writeConf(t, dir, "basic.server = "+addr, "basic.id = quit-01", "basic.log.target = file")
	cmd := agentProgram(t, dir, "run", "--conf", "agent.conf")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-up
	if err := cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("ended with %v", err)
	}
	for file, want := range map[string]string{"test-agent.log": "stacks of all goroutines", "test-agent.crash": "SIGQUIT"} {
		text, err := os.ReadFile(filepath.Join(dir, "logs", file))
		if err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), "stayConnected") {
			t.Errorf("%s lacks %q or the stacks (%v):\n%.2000s", file, want, err, text)
		}
	}
}

// A service manager stops an agent with one signal, a person with another: it ends well, and leaves no crash file.
func TestSignals(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		up := make(chan struct{}, 1)
		addr := realServer(t, func(wire.ComePayload, *conn.Conn) { up <- struct{}{} })
		dir := t.TempDir()
		writeConf(t, dir, "basic.server = "+addr, "basic.id = signal-01", "basic.log.target = file")
		cmd := agentProgram(t, dir, "run", "--conf", "agent.conf")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-up
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: ended with %v", sig, err)
		}
		if files, err := filepath.Glob(filepath.Join(dir, "logs", "*crash*")); err != nil || len(files) != 0 {
			t.Errorf("%v: left %v, %v", sig, files, err)
		}
	}
}
