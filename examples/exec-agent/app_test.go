package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/wire"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// command runs the agent's command line.
func command(t *testing.T, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	code := libagent.Command{App: &app{}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out}.Main(t.Context(), args)
	return out.String(), code
}

// Who installs the agent has a policy with one command, which never takes the place of his own.
func TestPolicyCommands(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "agent.conf")
	if out, code := command(t, "policy", "check", "--conf", conf); code != 1 || !strings.Contains(out, "everything is refused") {
		t.Errorf("code %d: %s", code, out)
	}
	if out, code := command(t, "policy", "init", "--conf", conf); code != 0 || !strings.Contains(out, "policy.conf is written") {
		t.Errorf("code %d: %s", code, out)
	}
	if out, code := command(t, "policy", "init", "--conf", conf); code != 1 || !strings.Contains(out, "there already") {
		t.Errorf("code %d: %s", code, out)
	}
	if out, code := command(t, "policy", "check", "--conf", conf); code != 0 || !strings.HasSuffix(out, ": ok\n") {
		t.Errorf("code %d: %s", code, out)
	}
	if err := os.WriteFile(conf, []byte("basic.server = 127.0.0.1\npolicy = "+dir+"/other.conf\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := command(t, "policy", "init", "-c", conf); code != 0 || !strings.Contains(out, "other.conf is written") {
		t.Errorf("code %d: %s", code, out)
	}
	if out, code := command(t, "policy", "nonsense"); code != 2 && code != 0 {
		t.Errorf("code %d: %s", code, out)
	}
}

// The agent as it is shipped answers, refuses what the policy does not have, and writes both down.
func TestAgent(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "agent.conf")
	text := "basic.server = 127.0.0.1\ndata_dir = " + filepath.ToSlash(dir) + "/data\naudit.dir = " + filepath.ToSlash(dir) + "/audit\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := command(t, "policy", "init", "--conf", conf); code != 0 {
		t.Fatal(out)
	}
	srv := agenttest.NewServer(t, nil)
	agent := srv.Start(&app{}, &libagent.Options{ConfigFile: conf})
	s := srv.Accept()
	task := agenttest.Send(s, wire.Exec, wire.ExecPayload{Cmd: "hostname"})
	if r, err := agenttest.Reply(s, task, wire.Execd); err != nil || !r.OK {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := agenttest.Reply(s, task, wire.ExecData); err != nil {
		t.Error(err)
	}
	if r, err := agenttest.Reply(s, task, wire.ExecDone); err != nil || r.Code != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	task = agenttest.Send(s, wire.Exec, wire.ExecPayload{Cmd: "hostname; id", Detail: true})
	if r, err := agenttest.Reply(s, task, wire.Execd); err != nil || r.OK || r.Why != wire.WhyPolicy {
		t.Errorf("%+v, %v", r, err)
	}
	if err := agent.Stop(); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "audit", "*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	record, err := os.ReadFile(files[0])
	if err != nil || !bytes.Contains(record, []byte(`"exec done"`)) || !bytes.Contains(record, []byte(`"exec refused"`)) {
		t.Errorf("%s, %v", record, err)
	}
}
