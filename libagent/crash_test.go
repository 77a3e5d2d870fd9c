package libagent_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// programVariable has the test's binary be an agent: see TestMain.
const programVariable = "LIBAGENT_TEST_PROGRAM"

// program is the agent that the test's binary is: a notice crashes it.
func program() libagent.App {
	return &testApp{setup: func(ag *libagent.Agent) error {
		libagent.HandleNotice(ag, notice, func(context.Context, textPayload) error {
			go panic("the agent's own bug")
			select {}
		})
		return nil
	}}
}

// agentProgram runs the test's binary as an agent in a folder with a config file.
func agentProgram(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), programVariable+"=1")
	return cmd
}

func writeConf(t *testing.T, dir string, lines ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "agent.conf"), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// An agent crashes at night. Its next start says so in its log, in its status and to the server, once, with the stack.
func TestCrashIsReported(t *testing.T) {
	comes := make(chan wire.ComePayload, 10)
	var crash atomic.Bool
	crash.Store(true)
	addr := realServer(t, func(come wire.ComePayload, c *conn.Conn) {
		// The first report comes when the agent has taken the handshake.
		if _, err := c.Receive(); err != nil {
			t.Errorf("no report: %v", err)
		}
		if crash.Load() {
			c.Send(t.Context(), conn.Control, []byte(`{"type":30003,"notice":{}}`))
		}
		// A pong comes when the agent has taken the handshake.
		go func() {
			if c.Ping(t.Context()) == nil || crash.Load() {
				comes <- come
			}
		}()
	})
	dir := t.TempDir()
	writeConf(t, dir, "basic.id = crash-01", "basic.server = "+addr, "basic.log.target = file")
	var stderr bytes.Buffer
	first := agentProgram(t, dir, "run", "--conf", "agent.conf")
	first.Stderr = &stderr
	if err := first.Run(); err == nil || first.ProcessState.ExitCode() != 2 {
		t.Fatalf("did not crash: %v", err)
	}
	if come := <-comes; come.Crash != nil {
		t.Errorf("the first start reports a crash: %+v", come.Crash)
	}
	if !strings.Contains(stderr.String(), "the agent's own bug") {
		t.Errorf("standard error: %s", &stderr)
	}

	crash.Store(false)
	for i, want := range []string{"the agent's own bug", ""} {
		cmd := agentProgram(t, dir, "run", "--conf", "agent.conf")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		come := <-comes
		if got := ""; (come.Crash != nil) != (want != "") {
			t.Errorf("start %d reports %+v", i, come.Crash)
		} else if want != "" {
			if got = come.Crash.Text; !strings.Contains(got, want) || !strings.Contains(got, "crash_test.go") || come.Crash.At.IsZero() {
				t.Errorf("start %d reports %q", i, got)
			}
		}
		endProgram(t, cmd)
	}
	text, err := os.ReadFile(filepath.Join(dir, "logs", "test-agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "the last run crashed"); n != 1 {
		t.Errorf("the log speaks of the crash %d times:\n%s", n, text)
	}
	files, err := filepath.Glob(filepath.Join(dir, "logs", "*.crash*"))
	if err != nil || len(files) != 1 || filepath.Base(files[0]) != "test-agent.crash.reported" {
		t.Errorf("crash files: %v, %v", files, err)
	}
}

// endProgram stops an agent as a service manager does.
func endProgram(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if runtime.GOOS == "windows" {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		return
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("ended with %v", err)
	}
}
