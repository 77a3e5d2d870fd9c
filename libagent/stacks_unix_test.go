//go:build unix

package libagent_test

import (
	"io"
	"os"
	"os/signal"
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

// Who follows the log over a connection that breaks leaves no process behind: the end of a terminal ends every command but run.
func TestHangupEndsCommands(t *testing.T) {
	dir := t.TempDir()
	writeConf(t, dir, "basic.server = h:1", "basic.log.target = file")
	if err := os.Mkdir(filepath.Join(dir, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "logs", "test-agent.log"), []byte("one line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Under nohup these tests ignore the signal, and so would the program: what is caught is not handed down.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	cmd := agentProgram(t, dir, "logs", "--follow", "--conf", "agent.conf")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("one line\n"))); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if s := cmd.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != syscall.SIGHUP {
		t.Errorf("ended with %v", cmd.ProcessState)
	}
}
