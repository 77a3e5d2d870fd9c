package libagent_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

// secretApp is an agent with secrets in its config.
type secretApp struct{ testApp }

type secretConf struct {
	libagent.Config `kv:"basic"`
	Key             string `kv:"key,secret"`
	DBPassword      string `kv:"db.password"`
	PasswordFile    string `kv:"db.password_file"`
	URL             string `kv:"url"`
	Greeting        string `kv:"greeting,expand"`
}

func (*secretApp) NewConfig() libagent.Settings { return &secretConf{Greeting: "hello"} }

// command runs a command line of an agent.
func command(t *testing.T, app libagent.App, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	c := libagent.Command{App: app, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
	code = c.Main(t.Context(), args)
	return code, out.String(), errs.String()
}

// confFile writes a config file into a folder conf of its own.
func confFile(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "conf", "agent.conf")
	if err := os.Mkdir(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// An operator asks why an agent does what it does: each setting with its origin, and no secret on the screen.
func TestConfigCommand(t *testing.T) {
	t.Setenv("GREETING", "good day")
	file := confFile(t, "basic.server = h:1", "key = k-secret", "db.password = p-secret", "db.password_file = /etc/p", "url = https://u:u-secret@h/x", "greeting = $GREETING", "greting = typo")
	code, out, errs := command(t, &secretApp{}, "config", "--conf", file)
	if code != 0 || !strings.Contains(errs, "greting") {
		t.Errorf("code %d, %s", code, errs)
	}
	if strings.Contains(out+errs, "-secret") {
		t.Errorf("a secret is shown:\n%s%s", out, errs)
	}
	lines := make(map[string]string)
	for l := range strings.Lines(out) {
		key, rest, _ := strings.Cut(l, " ")
		lines[key] = strings.Join(strings.Fields(rest), " ")
	}
	for key, want := range map[string]string{
		"basic.server":     "= h:1 # " + file + ":1",
		"basic.log.size":   "= 10M # default",
		"key":              "= (hidden) # " + file + ":2",
		"db.password":      "= (hidden) # " + file + ":3",
		"db.password_file": "= /etc/p # " + file + ":4",
		"url":              "= https://hidden@h/x # " + file + ":5",
		"greeting":         "= good day # " + file + ":6, environment $GREETING",
	} {
		if lines[key] != want {
			t.Errorf("%s %s, want %s", key, lines[key], want)
		}
	}
	code, out, _ = command(t, &secretApp{}, "config", "--conf", file, "--json")
	var all []struct{ Key, Value, Origin string }
	if err := json.Unmarshal([]byte(out), &all); code != 0 || err != nil || len(all) != len(lines) {
		t.Errorf("code %d, %d settings as JSON, %d as text: %v", code, len(all), len(lines), err)
	}
}

func TestVersionCommand(t *testing.T) {
	code, out, _ := command(t, &testApp{}, "version")
	if want := fmt.Sprintf("test-agent 1.2.3 %s %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH); code != 0 || !strings.HasPrefix(out, want) {
		t.Errorf("code %d, %q, want %q", code, out, want)
	}
	code, out, _ = command(t, &testApp{}, "version", "--json")
	var v map[string]string
	if err := json.Unmarshal([]byte(out), &v); code != 0 || err != nil {
		t.Fatalf("code %d, %v: %s", code, err, out)
	}
	for _, key := range []string{"name", "version", "commit", "date", "go", "os", "arch"} {
		if _, ok := v[key]; !ok {
			t.Errorf("lacks %s: %s", key, out)
		}
	}
}

// The commands say what is wrong with a command line, and scripts get a code of their own for it.
func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"run", "agent.conf"}, {"start", "now"}, {"logs", "--nonsense"}, {"logs", "-n", "-1"}} {
		if code, out, errs := command(t, &testApp{}, args...); code != 2 || out != "" || !strings.Contains(errs, "test-agent --help") {
			t.Errorf("%q: code %d, %q, %q", args, code, out, errs)
		}
	}
	for _, name := range []string{"run", "check", "config", "status", "logs", "version", "install", "uninstall", "start", "stop", "restart", "completion"} {
		if code, out, _ := command(t, &testApp{}, name, "--help"); code != 0 || !strings.Contains(out, "test-agent "+name) {
			t.Errorf("%s --help: code %d, %q", name, code, out)
		}
	}
	if code, out, _ := command(t, &testApp{}, "completion", "bash"); code != 0 || !strings.Contains(out, "test-agent") {
		t.Errorf("completion: code %d, %.100q", code, out)
	}
}

// The manifest that a deployment tool shows, and the config that it has made, are checked together.
func TestCheckManifest(t *testing.T) {
	const good = "- key: basic.server\n  type: csv\n  name: { zh: x, en: x }\n  desc: { zh: x, en: x }\n  required: true\n  category: basic\n" +
		"- key: greeting\n  type: enum\n  name: { zh: x, en: x }\n  desc: { zh: x, en: x }\n  default: hi\n  enum_valid: [ hi, ho ]\n  required: false\n  category: x\n"
	for _, c := range []struct {
		name, manifest, conf, wrong string
	}{
		{"none", "", "greeting = other", ""},
		{"good", good, "greeting = ho", ""},
		{"settings that no form shows", good, "basic.reconnect.spread = 1s", ""},
		{"bad manifest", "- key: [\n", "", "manifest.yaml:1"},
		{"bad value", good, "greeting = other", "agent.conf:2:12"},
	} {
		file := confFile(t, "basic.server = h:1", c.conf)
		if c.manifest != "" {
			if err := os.WriteFile(filepath.Join(filepath.Dir(file), "manifest.yaml"), []byte(c.manifest), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, out, errs := command(t, &testApp{}, "check", "--conf", file)
		if (code != 0) != (c.wrong != "") || !strings.Contains(errs, c.wrong) || !strings.HasPrefix(out, file+": ok\n") {
			t.Errorf("%s: code %d, %q, %q", c.name, code, out, errs)
		}
	}
	if code, _, errs := command(t, &testApp{}, "check", "--conf", confFile(t, "basic.server = h:1"), "--manifest", "nosuch.yaml"); code != 1 || !strings.Contains(errs, "nosuch.yaml") {
		t.Errorf("a manifest that was asked for and is missing: code %d, %q", code, errs)
	}
}

// Before an agent is rolled out, an operator sees on which step its way to the server ends.
func TestCheckConnect(t *testing.T) {
	accepting := realServer(t, func(wire.ComePayload, *conn.Conn) {})
	refusing := answeringServer(t, `{"type":2,"handshake":{"ok":false,"id":"","msg":"go away"}}`)
	conflict := answeringServer(t, `{"type":2,"handshake":{"ok":false,"id":"","msg":"agent id conflict"}}`)
	redirect := answeringServer(t, `{"type":2,"handshake":{"ok":true,"id":"x","msg":"","redirect":["other:1"]}}`)
	noHandshake := answeringServer(t, `{"type":9}`)
	noWebSocket := plainServer(t)
	nobody := freeport.Addr(t)
	for _, c := range []struct {
		server string
		code   int
		want   []string
	}{
		{accepting, 0, []string{"tcp        ok", "websocket  ok", "handshake  ok      accepted as \"check-01\""}},
		{conflict, 0, []string{"handshake  ok", "\"check-01\" is connected"}},
		{redirect, 0, []string{"handshake  ok", "other:1"}},
		{refusing, 1, []string{"websocket  ok", "handshake  failed", "go away"}},
		{noHandshake, 1, []string{"handshake  failed", "type 9"}},
		{noWebSocket, 1, []string{"tcp        ok", "websocket  failed", "418"}},
		{nobody, 1, []string{"tcp        failed", "refused"}},
		{"nosuch.invalid:1", 1, []string{"name       failed", "nosuch.invalid"}},
		{nobody + "," + accepting, 0, []string{"tcp        failed", "handshake  ok", "1 of 2 servers"}},
	} {
		file := confFile(t, "basic.id = check-01", "basic.server = "+c.server)
		code, out, errs := command(t, &testApp{}, "check", "--connect", "--conf", file)
		if code != c.code || (code != 0) != strings.Contains(errs, "no server takes the agent") {
			t.Errorf("%s: code %d, %s", c.server, code, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: lacks %q:\n%s", c.server, want, out)
			}
		}
	}
}

// The same over TLS: what the certificate is, and why it is not trusted.
func TestCheckConnectTLS(t *testing.T) {
	a := newAuthority()
	serve := func(name string) string {
		addr := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{a.issue(name, time.Hour)}}, func(w http.ResponseWriter, r *http.Request) {
			c, err := conn.Upgrade(w, r, conn.Options{})
			if err != nil {
				return
			}
			s := &session{Conn: c, t: t}
			s.accept()
			s.drain()
		})
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		return "wss://localhost:" + port
	}
	ca := "basic.tls.ca = " + a.file(t)
	for _, c := range []struct {
		name, server, more string
		code               int
		want               []string
	}{
		{"good", serve("localhost"), ca, 0, []string{"tls        ok      TLS 1.3, certificate of", "websocket  ok", "handshake  ok"}},
		{"another name", serve("other.example.com"), ca, 1, []string{"tcp        ok", "tls        failed", "other.example.com"}},
		{"unknown authority", serve("localhost"), "", 1, []string{"tls        failed", "unknown authority"}},
		{"no TLS", "wss://" + plainServer(t), "", 1, []string{"tls        failed"}},
	} {
		file := confFile(t, "basic.id = check-01", "basic.server = "+c.server, c.more)
		code, out, errs := command(t, &testApp{}, "check", "--connect", "--conf", file)
		if code != c.code {
			t.Errorf("%s: code %d, %s", c.name, code, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: lacks %q:\n%s", c.name, want, out)
			}
		}
	}
}

// The running agent is asked how it is; without one the service manager is.
func TestStatusCommand(t *testing.T) {
	sock := filepath.Join(t.TempDir(), "agent.sock")
	file := confFile(t, "basic.id = test-01", "basic.server = server-1", "basic.http.listen = unix:"+sock)
	if code, _, errs := command(t, &testApp{}, "status", "--conf", file, "--name", "no-such-agent"); code != 3 && runtime.GOOS == "linux" || errs == "" {
		t.Errorf("without an agent: code %d, %q", code, errs)
	}
	connectedAgent(t, func(_ *libagent.Options, c *testConf) { c.HTTP.Listen = "unix:" + sock })
	get(t, "unix:"+sock, "/healthz", nil)
	code, out, errs := command(t, &testApp{}, "status", "--conf", file)
	for _, want := range []string{"agent       test-agent 1.2.3, id test-01, pid ", "server      ", "outbox      "} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("code %d, lacks %q:\n%s%s", code, want, out, errs)
		}
	}
	code, out, _ = command(t, &testApp{}, "status", "--conf", file, "--json")
	var s libagent.Status
	if err := json.Unmarshal([]byte(out), &s); code != 0 || err != nil || s.ID != "test-01" {
		t.Errorf("code %d, %v: %s", code, err, out)
	}
}

// What a server has said cannot move the cursor of whoever looks at the status.
func TestStatusIsPrintable(t *testing.T) {
	var b strings.Builder
	s := libagent.Status{Name: "a\x1b[2J"}
	s.Connection.LastError = "said \"\x1b]0;owned\x07\n\xff\""
	s.Crash = &libagent.CrashStatus{Text: "panic: \x1b[31m\nsecond line"}
	libagent.PrintStatus(s, &b)
	for i, l := range strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n") {
		if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\ufffd' }) {
			t.Errorf("line %d: %q", i, l)
		}
	}
	if strings.Contains(b.String(), "second line") || !strings.Contains(b.String(), "panic") {
		t.Errorf("the crash: %s", &b)
	}
}

// The end of the log is shown, and what comes after it, through rotations.
func TestLogsCommand(t *testing.T) {
	dir := t.TempDir()
	file := confFile(t, "basic.server = h:1", "basic.log.target = file", "basic.log.dir = "+dir)
	if code, _, errs := command(t, &testApp{}, "logs", "--conf", file); code != 1 || !strings.Contains(errs, "no log yet") {
		t.Errorf("without a log: code %d, %q", code, errs)
	}
	log := filepath.Join(dir, "test-agent.log")
	if err := os.WriteFile(log, []byte("one\ntwo\n"+strings.Repeat("x", 100_000)+"\nfour\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for lines, want := range map[string]int{"0": 0, "1": 5, "2": 100_006, "3": 100_010, "99": 100_014} {
		if code, out, _ := command(t, &testApp{}, "logs", "--conf", file, "-n", lines); code != 0 || len(out) != want {
			t.Errorf("-n %s: code %d, %d bytes, want %d", lines, code, len(out), want)
		}
	}

	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		c := libagent.Command{App: &testApp{}, Stdout: w, Stderr: io.Discard}
		ended <- c.Main(ctx, []string{"logs", "--conf", file, "-f", "-n", "1"})
		w.Close()
	}()
	expect := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("read %q, %v, want %q", got, err, want)
		}
	}
	appendTo := func(text string) {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	expect("four\n")
	appendTo("five\n")
	expect("five\n")
	if runtime.GOOS != "windows" { // an open file keeps its name there
		appendTo("six\n")
		if err := os.Rename(log, log+".0"); err != nil {
			t.Fatal(err)
		}
		appendTo("seven\n")
		expect("six\nseven\n")
	}
	stop()
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Error(err)
	}
	if code := <-ended; code != 0 {
		t.Errorf("code %d", code)
	}

	file = confFile(t, "basic.server = h:1")
	if code, _, errs := command(t, &testApp{}, "logs", "--conf", file); code != 1 || !strings.Contains(errs, "standard output") {
		t.Errorf("a log in no file: code %d, %q", code, errs)
	}
}

// What install would do is shown before it is done; what a service would fail at is refused.
func TestInstallPrint(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: what the service managers of other systems get is not text of ours")
	}
	file := confFile(t, "basic.server = h:1")
	code, out, errs := command(t, &testApp{}, "install", "--print", "--conf", file, "--user", "daemon", "--name", "my-agent")
	if code != 0 || !strings.Contains(out, file) || !strings.Contains(out, "daemon") || !strings.Contains(out, "65536") {
		t.Errorf("code %d, %s%s", code, out, errs)
	}
	for want, args := range map[string][]string{
		"service name": {"--name", "../evil"},
		"no name of":   {"--user", "root; reboot"},
		"no such file": {"--conf", "nosuch.conf"},
		"is no":        {"--conf", confFile(t, "basic.server = h:x")},
	} {
		code, _, errs := command(t, &testApp{}, append([]string{"install", "--print", "--conf", file}, args...)...)
		if code != 1 || !strings.Contains(errs, want) {
			t.Errorf("%q: code %d, %q lacks %q", args, code, errs, want)
		}
	}
}
