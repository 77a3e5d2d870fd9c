package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/server"
)

// output is what a command writes, for whoever waits for a part of it.
type output struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{} // has a value when something new was written
}

func newOutput() *output { return &output{written: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.written <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// find waits for a part of the output.
func (o *output) find(pattern string) []string {
	re := regexp.MustCompile(pattern)
	for {
		if m := re.FindStringSubmatch(o.String()); m != nil {
			return m
		}
		<-o.written
	}
}

func command(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errOut strings.Builder
	code = server.Command{Version: "1.2.3", Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut}.Main(ctx, args)
	return code, out.String(), errOut.String()
}

func TestCommand(t *testing.T) {
	good := writeConfig(t, "listen = 127.0.0.1:0\n")
	bad := writeConfig(t, "lisen = 127.0.0.1:0\n")
	for _, tt := range []struct {
		args           string
		code           int
		stdout, stderr string // parts
	}{
		{"version", server.ExitOK, "agent-server 1.2.3 go", ""},
		{"version --json", server.ExitOK, `"version": "1.2.3"`, ""},
		{"", server.ExitOK, "Available Commands:", ""},
		{"help run", server.ExitOK, `config file (default "conf/server.conf")`, ""},
		{"check --conf " + good, server.ExitOK, good + ": ok\n", ""},
		{"check --conf " + bad, server.ExitFailed, "", bad + ":1:1: lisen: unknown key; did you mean listen?\n  1 | lisen = 127.0.0.1:0\n    | ^\n"},
		{"check --conf " + good + ".none", server.ExitFailed, "", "agent-server: read config: open " + good + ".none: "},
		{"run --conf " + good + ".none", server.ExitFailed, "", "agent-server: read config: open " + good + ".none: "},
		{"token list --conf " + bad + ".none", server.ExitFailed, "", "agent-server: read config: open "},
		{"install --conf " + bad + ".none", server.ExitFailed, "", "agent-server: read config: open "},
		{"install --print --conf " + good, server.ExitOK, good, ""},
		{"install now", server.ExitUsage, "", `agent-server: unknown command "now" for "agent-server install"`},
		{"run --cnf x", server.ExitUsage, "", "agent-server: unknown flag: --cnf\n"},
		{"run now", server.ExitUsage, "", `agent-server: unknown command "now" for "agent-server run"`},
		{"rnu", server.ExitUsage, "", `agent-server: unknown command "rnu" for "agent-server"`},
	} {
		code, stdout, stderr := command(t.Context(), strings.Fields(tt.args)...)
		if code != tt.code || !strings.Contains(stdout, tt.stdout) || !strings.Contains(stderr, tt.stderr) {
			t.Errorf("agent-server %s: code %d\n%s%s", tt.args, code, stdout, stderr)
		}
		if tt.stderr == "" && stderr != "" {
			t.Errorf("agent-server %s complains: %s", tt.args, stderr)
		}
	}
}

// The whole, as an operator runs it: it says where it listens and where the token is, and stops when it is told to.
func TestCommandRun(t *testing.T) {
	dir := t.TempDir()
	// A key of a newer version must not keep the server from starting.
	file := writeConfig(t, fmt.Sprintf("listen = 127.0.0.1:0\napi.listen = 127.0.0.1:0\ndata_dir = %s\nkey.of.tomorrow = 1\n", dir))
	ctx, cancel := context.WithCancel(t.Context())
	out := newOutput()
	code := make(chan int)
	go func() {
		code <- server.Command{Version: "1.2.3", Stdout: out, Stderr: out}.Main(ctx, []string{"run", "--conf", file})
	}()
	started := out.find(`server started version=1\.2\.3 agents=(\S+) api=(\S+) token_file=(\S+)`)
	if want := filepath.Join(dir, "api.token"); started[3] != want {
		t.Errorf("token_file=%s, want %s", started[3], want)
	}
	token, err := os.ReadFile(started[3])
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+started[2]+"/api/agents", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if resp.StatusCode != 200 {
		t.Errorf("the API answers %s", resp.Status)
	}
	cancel()
	if c := <-code; c != server.ExitOK {
		t.Errorf("exit code %d", c)
	}
	for _, want := range []string{"key.of.tomorrow: unknown key", "server stopped"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out.String(), strings.TrimSpace(string(token))) {
		t.Error("the log tells the token")
	}
}

// An operator asks whether the server runs: it is asked itself, and where it does not answer, the service manager.
func TestCommandStatus(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
	}))
	addr := s.Listener.Addr().String()
	file := writeConfig(t, "api.listen = "+addr+"\n")
	if code, stdout, stderr := command(t.Context(), "status", "--conf", file); code != server.ExitOK || stdout != "agent-server at "+addr+" runs and takes agents\n" {
		t.Errorf("code %d: %s%s", code, stdout, stderr)
	}
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	if code, stdout, _ := command(t.Context(), "status", "--conf", file); code != server.ExitOK || !strings.Contains(stdout, "takes no agents") {
		t.Errorf("code %d: %s", code, stdout)
	}
	s.Close()
	for _, listen := range []string{addr, "none", "192.0.2.1:1"} {
		file := writeConfig(t, "api.listen = "+listen+"\n")
		code, stdout, stderr := command(t.Context(), "status", "--conf", file, "--name", "no-such-service")
		if code != server.ExitNotRunning || stdout != "" || !strings.HasPrefix(stderr, "agent-server: does not run") {
			t.Errorf("%s: code %d: %s%s", listen, code, stdout, stderr)
		}
	}
}

// What stands in the way of a start is said on standard error, with a status that is not 0.
func TestCommandRunFails(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := writeConfig(t, "api.token_file = "+token+"\ndata_dir = "+t.TempDir()+"\n")
	code, _, stderr := command(t.Context(), "run", "--conf", file)
	if code != server.ExitFailed || !strings.Contains(stderr, "agent-server: token of the API: "+token+" holds 6 characters") {
		t.Errorf("code %d: %s", code, stderr)
	}
}

// A server that finds another one on its folder has not started, and the reason is in its log file as well, once.
func TestCommandRunSecond(t *testing.T) {
	data, logs := t.TempDir(), t.TempDir()
	text := "listen = 127.0.0.1:0\napi.listen = 127.0.0.1:0\ndata_dir = " + data + "\n"
	first := writeConfig(t, text)
	ctx, cancel := context.WithCancel(t.Context())
	out := newOutput()
	code := make(chan int)
	go func() {
		code <- server.Command{Stdout: out, Stderr: out}.Main(ctx, []string{"run", "--conf", first})
	}()
	out.find("server started")
	second, _, stderr := command(ctx, "run", "--conf", writeConfig(t, text+"log.target = file\nlog.dir = "+logs+"\n"))
	if second != server.ExitFailed || !strings.Contains(stderr, "agent-server: data_dir: journal: ") {
		t.Errorf("code %d: %s", second, stderr)
	}
	log, err := os.ReadFile(filepath.Join(logs, "agent-server.log"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "data_dir: journal: "); n != 1 || !strings.Contains(string(log), "server failed") ||
		strings.Contains(string(log), "server started") || strings.Contains(string(log), "server stopped") {
		t.Errorf("the reason is there %d times:\n%s", n, log)
	}
	cancel()
	if c := <-code; c != server.ExitOK {
		t.Errorf("exit code %d", c)
	}
}

// One file of a token that cannot be read hides none of the others, and is named.
func TestCommandTokenUnreadable(t *testing.T) {
	data := t.TempDir()
	file := writeConfig(t, "data_dir = "+data+"\n")
	token := func(args ...string) (code int, stdout, stderr string) {
		return command(t.Context(), append([]string{"token", args[0], "--conf", file}, args[1:]...)...)
	}
	for _, name := range []string{"bad", "good"} {
		if code, _, stderr := token("create", "--api", "--role", "read", "--name", name); code != server.ExitOK {
			t.Fatal(stderr)
		}
		if name == "good" {
			continue
		}
		files, err := filepath.Glob(filepath.Join(data, "tokens", "*.json"))
		if err == nil && len(files) == 1 {
			err = os.WriteFile(files[0], nil, 0o600)
		}
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
	}
	const named = "and refused by the server, is what cannot be read:\n" // followed by the file
	code, stdout, stderr := token("list")
	if code != server.ExitFailed || !strings.Contains(stdout, `"good"`) || !strings.Contains(stderr, named+filepath.Join(data, "tokens")) {
		t.Errorf("code %d: %s%s", code, stdout, stderr)
	}
	code, stdout, stderr = token("revoke", "good")
	if code != server.ExitFailed || !strings.Contains(stdout, `("good") is revoked`) || !strings.Contains(stderr, named) {
		t.Errorf("code %d: %s%s", code, stdout, stderr)
	}
	if _, stdout, _ = token("list"); !strings.Contains(stdout, "revoked") {
		t.Errorf("after it %s", stdout)
	}
}
