package libagent_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return file
}

// loadConf runs an agent just long enough to see its config.
func loadConf(t *testing.T, file string) (*testConf, error) {
	t.Helper()
	var got *testConf
	app := &testApp{setup: func(ag *libagent.Agent) error {
		got = libagent.ConfigOf[*testConf](ag)
		return errEnough
	}}
	err := libagent.Run(t.Context(), app, &libagent.Options{ConfigFile: file})
	if got != nil {
		err = nil
	}
	return got, err
}

func TestConfigFormats(t *testing.T) {
	t.Setenv("AGENT_ID", "from-env")
	for name, text := range map[string]string{
		"section.conf": "basic.id = $AGENT_ID\nbasic.server = s1:1, s2\nbasic.monitor.interval = 2s # comment\nbasic.monitor.enabled = false\nbasic.log.size = 5M\ngreeting = a#b\n",
		"flat.conf":    "id = ${AGENT_ID}\nserver = s1:1, s2\nmonitor.interval = 2s\nmonitor.enabled = false\nlog.size = 5M\ngreeting = a#b\n",
		"agent.yaml":   "basic:\n  id: $AGENT_ID\n  server: [s1:1, s2]\n  monitor: {interval: 2s, enabled: false}\n  log:\n    size: 5M\ngreeting: a#b\n",
		"dotted.yml":   "basic.id: $AGENT_ID\nbasic.server: s1:1,s2\nbasic.monitor.interval: 2s\nbasic.monitor.enabled: false\nbasic.log.size: 5M\ngreeting: 'a#b'\n",
		"agent.json":   "{\n\t\"basic\": {\"id\": \"$AGENT_ID\", \"server\": [\"s1:1\", \"s2\"], \"monitor\": {\"interval\": \"2s\", \"enabled\": false}, \"log\": {\"size\": \"5M\"}},\n\t\"greeting\": \"a#b\"\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, err := loadConf(t, write(t, name, text))
			if err != nil {
				t.Fatal(err)
			}
			if c.ID != "from-env" || strings.Join(c.Server, " ") != "s1:1 s2:13081" || c.Monitor.Interval != 2*time.Second || *c.Monitor.Enabled || c.Log.Size != 5_000_000 || c.Greeting != "a#b" {
				t.Errorf("read %+v", c)
			}
			if c.Reconnect.Spread != 3*time.Second || c.Outbox.Memory != 4<<20 {
				t.Errorf("defaults are not kept: %+v", c)
			}
		})
	}
}

// A config that cannot work is an error at start that says where.
func TestConfigErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a.conf", "basic.id = x\nbasic.log.target = stdout\n", "a.conf:2:1: basic.server: missing"},
		{"a.conf", "", "a.conf:1:1: basic.server: missing"},
		{"a.conf", "id = x\n", "a.conf:1:1: server: missing"},
		{"a.conf", "basic.server = s\nbasic.id = $NO_SUCH_NAME\n", "a.conf:2:12: basic.id: "},
		{"a.conf", "basic.server = $NO_SUCH_NAME\n", "NO_SUCH_NAME"},
		{"a.conf", "basic.server = s:70000\n", "a.conf:1:16: basic.server: \"s:70000\": port \"70000\""},
		{"a.conf", "basic.server = http://s\n", "no address"},
		{"a.conf", "basic.server = ::1\n", "brackets"},
		{"a.conf", "basic.server = s\nbasic.monitor.interval = soon\n", "a.conf:2:26: basic.monitor.interval: "},
		{"a.conf", "basic.server = s\nbasic.monitor.interval = 1ms\n", "a.conf:2:26: basic.monitor.interval: 1ms is less"},
		{"a.conf", "basic.server = s\nid = x\n", "a.conf:2:"},
		{"a.conf", "basic.server = s\nbasic.log.target = syslog\n", "a.conf:2:20: basic.log.target: "},
		{"a.conf", "basic.server = s\nnonsense\n", "a.conf:2:"},
		{"a.conf", "basic.sever = s\nbasic.monitor.interval = soon\n", "a.conf:2:1: basic.server: missing"},
		{"a.conf", "basic.sever = s\nbasic.monitor.interval = soon\n", "a.conf:1:1: basic.sever: unknown key"},
		{"a.conf", "basic.sever = s\nbasic.monitor.interval = soon\n", "a.conf:2:26: basic.monitor.interval"},
		{"a.conf", "basic.id = a b\nbasic.server = s;t\n", "a.conf:1:12: basic.id: "},
		{"a.conf", "basic.id = a b\nbasic.server = s;t\n", "a.conf:2:16: basic.server: "},
		{"a.yaml", "basic:\n  id: $NO_SUCH_NAME\n  server: s\n", "a.yaml:2:7: basic.id: "},
		{"a.yaml", "basic: [1\n", "a.yaml"},
		{"a.yaml", "- 1\n", "a.yaml:1:1: "},
		{"a.yaml", "basic: &x {id: a}\nother: *x\n", "a.yaml:2:8: other: aliases"},
		{"a.yaml", "basic: {server: s}\n---\nbasic: {}\n", "more than one document"},
		{"a.json", "{\"basic\": {\"server\": \"s\",}}", "a.json:1:26: "},
		{"a.json", "{\"basic\": {\"server\": \"s\", \"monitor\": {\"interval\": 5}}}", "basic.monitor.interval: "},
	}
	for _, tt := range tests {
		_, err := loadConf(t, write(t, tt.name, tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %q: %v, want %q", tt.name, tt.text, err, tt.want)
		}
	}
	if _, err := loadConf(t, filepath.Join(t.TempDir(), "none.conf")); err == nil || !strings.Contains(err.Error(), "none.conf") {
		t.Errorf("a missing file: %v", err)
	}
}

// A config of a newer version must not stop an old binary after a rollback; check tells of it.
func TestUnknownKeys(t *testing.T) {
	file := write(t, "agent.conf", "basic.server = s\nbasic.sever = t\ngreeting = a\ngreeting = b\nbasic.limit.cpu_quota = -5\n")
	if _, err := loadConf(t, file); err != nil {
		t.Errorf("run does not start: %v", err)
	}
	err := libagent.Check(&testApp{}, file)
	for _, want := range []string{"agent.conf:2:1: basic.sever: ", "basic.server", "agent.conf:4:1: greeting: ", "agent.conf:5:25: basic.limit.cpu_quota: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("check says %v, want %q", err, want)
		}
	}
}

// What agents of the field wrote is read.
func TestFieldConfigs(t *testing.T) {
	t.Setenv("AGENT_ID", "from-env")
	t.Setenv("AGENT_SERVER", "192.0.2.1:13081")
	files, err := filepath.Glob("testdata/field/*.conf")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if c, err := loadConf(t, file); err != nil {
			t.Errorf("%s: %v", file, err)
		} else if len(c.Server) != 1 || c.ID == "" && !strings.Contains(file, "empty-id") && !strings.Contains(file, "missing-id") {
			t.Errorf("%s: read %+v", file, c.Config)
		}
	}
}

func TestCommand(t *testing.T) {
	good := write(t, "agent.conf", "basic.server = 127.0.0.1:1\n")
	bad := write(t, "agent.conf", "basic.server = 127.0.0.1:1\nbasic.monitor.interval = soon\n")
	tests := []struct {
		args []string
		code int
		out  string
		err  string
	}{
		{[]string{"version"}, 0, "test-agent 1.2.3 go", ""},
		{[]string{"check", "--conf", good}, 0, "agent.conf: ok", ""},
		{[]string{"check", "--conf", bad}, 1, "", "agent.conf:2:26: basic.monitor.interval: "},
		{[]string{"run", "-c", bad}, 1, "", "agent.conf:2:26: basic.monitor.interval: "},
		{[]string{"run", "-c", "none.conf"}, 1, "", "none.conf"},
		{[]string{"run", "extra"}, 2, "", "Try 'test-agent --help'"},
		{[]string{"fly"}, 2, "", "fly"},
		{[]string{"run", "--no-such-flag"}, 2, "", "no-such-flag"},
		{[]string{"--help"}, 0, "The agent:", ""},
	}
	for _, tt := range tests {
		var out, errs bytes.Buffer
		c := libagent.Command{App: &testApp{}, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
		if code := c.Main(t.Context(), tt.args); code != tt.code || !strings.Contains(out.String(), tt.out) || !strings.Contains(errs.String(), tt.err) {
			t.Errorf("%v: status %d, stdout %q, stderr %q", tt.args, code, out.String(), errs.String())
		}
	}
}

// $IP needs the address of the server. A host whose name servers do not answer still starts its agent, and soon.
func TestIPWithoutNameServers(t *testing.T) {
	resolver := net.DefaultResolver
	defer func() { net.DefaultResolver = resolver }()
	answer := make(chan struct{})
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		<-answer // the config is read first
		return nil, errors.New("no answer")
	}}
	c, err := libagent.LoadConfig[*testConf](&testApp{}, write(t, "agent.conf", "id = $IP\nserver = agents.example.com\n"))
	close(answer)
	if err == nil && net.ParseIP(c.ID) == nil || err != nil && !strings.Contains(err.Error(), "IP") {
		t.Errorf("%+v, %v", c, err) // a host without any address has no $IP
	}
}
