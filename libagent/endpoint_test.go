package libagent_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
	"github.com/jkstack/jkframe/v2/libagent"
)

// get asks an agent's local endpoint, and waits for it to open.
func get(t *testing.T, listen, path string, change func(*http.Request)) (int, string) {
	t.Helper()
	network, addr := "tcp", listen
	if file, ok := strings.CutPrefix(listen, "unix:"); ok {
		network, addr = "unix", file
	}
	tr := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		for {
			c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err == nil || ctx.Err() != nil {
				return c, err
			}
			runtime.Gosched()
		}
	}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// connectedAgent runs an agent with a server and an endpoint.
func connectedAgent(t *testing.T, change func(*libagent.Options, *testConf)) {
	t.Helper()
	up := make(chan struct{})
	srv := newServer(t, nil)
	app := &testApp{setup: func(ag *libagent.Agent) error {
		libagent.Handle(ag, echo, func(_ context.Context, q textPayload) (textPayload, error) { return q, nil })
		ag.OnConnect(func(context.Context) { close(up) })
		return nil
	}}
	start(t, srv, app, change)
	<-up
}

// An operator asks the agent on its host, over a socket that only the agent's user can open, how it is.
func TestEndpointStatus(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run", "agent.sock")
	connectedAgent(t, func(_ *libagent.Options, c *testConf) {
		c.HTTP.Listen = "unix:" + file
		c.Limit.CPUQuota = 1 << 20
	})
	var s libagent.Status
	for !s.Connection.Connected { // the server is a moment ahead
		code, body := get(t, "unix:"+file, "/status", nil)
		if code != http.StatusOK {
			t.Fatalf("status %d: %s", code, body)
		}
		if err := json.Unmarshal([]byte(body), &s); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
	}
	if s.Name != "test-agent" || s.Version != "1.2.3" || s.ID != "test-01" || s.PID != os.Getpid() || s.Uptime <= 0 {
		t.Errorf("status %+v", s)
	}
	if s.Connection.Server != "server-1:13081" || s.Connection.Connections != 1 || s.Connection.InFrames == 0 {
		t.Errorf("connection %+v", s.Connection)
	}
	if len(s.Limits) != 1 || s.Limits[0].Limit != "cpu_quota" || s.Limits[0].Mechanism == "" {
		t.Errorf("limits %+v", s.Limits)
	}
	if !strings.Contains(body(s.Tasks), `"kind":"ask"`) {
		t.Errorf("tasks %+v", s.Tasks)
	}
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", info, err)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if code, body := get(t, "unix:"+file, path, nil); code != http.StatusOK {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _ := get(t, "unix:"+file, "/debug/pprof/", nil); code != http.StatusNotFound {
		t.Errorf("profiles without being asked for: %d", code)
	}
}

func body(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// Prometheus scrapes the agent: every line is one of its format, and each metric is announced once.
func TestEndpointMetrics(t *testing.T) {
	addr := freeport.Addr(t)
	connectedAgent(t, func(_ *libagent.Options, c *testConf) {
		c.HTTP.Listen, c.HTTP.Pprof = addr, true
		c.Limit.CPUQuota = 1 << 20
	})
	code, text := get(t, addr, "/metrics", nil)
	if code != http.StatusOK {
		t.Fatalf("status %d: %s", code, text)
	}
	line := regexp.MustCompile(`^([a-z_]+)(\{[a-z]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\})? (-?[0-9][0-9.e+-]*)$`)
	announced, seen := map[string]bool{}, map[string]bool{}
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if name, ok := strings.CutPrefix(l, "# TYPE "); ok {
			name, _, _ = strings.Cut(name, " ")
			if announced[name] {
				t.Errorf("%s is announced twice", name)
			}
			announced[name] = true
			continue
		}
		if strings.HasPrefix(l, "# HELP ") {
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil {
			t.Errorf("no line of a metric: %q", l)
			continue
		}
		base := strings.TrimSuffix(strings.TrimSuffix(m[1], "_sum"), "_count")
		if !announced[m[1]] && !announced[base] {
			t.Errorf("%s is not announced", m[1])
		}
		if seen[m[1]+m[2]] {
			t.Errorf("%s%s is there twice", m[1], m[2])
		}
		seen[m[1]+m[2]] = true
	}
	for _, want := range []string{
		`agent_info{name="test-agent",version="1.2.3",id="test-01"} 1`, "\nagent_connections_total 1\n", "\nagent_outbox_bytes ",
		`agent_tasks{kind="ask",state="waiting"} 0`, "\nprocess_resident_memory_bytes ", "\ngo_goroutines ", `agent_limit{limit="cpu_quota"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q in\n%s", want, text)
		}
	}
	if code, body := get(t, addr, "/debug/pprof/goroutine?debug=1", nil); code != http.StatusOK || !strings.Contains(body, "libagent") {
		t.Errorf("profile: %d %.100s", code, body)
	}
	// A page in a browser of this host has made its own name point here.
	if code, _ := get(t, addr, "/status", func(r *http.Request) { r.Host = "evil.example:80" }); code != http.StatusMisdirectedRequest {
		t.Errorf("another host's name: status %d", code)
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		if code, _ := get(t, addr, "/status", func(r *http.Request) { r.Method = method }); code != http.StatusMethodNotAllowed {
			t.Errorf("%s: status %d", method, code)
		}
	}
}

// An agent that was killed leaves its socket: the next one takes its place, but never that of an agent that lives, or of a
// file that is none of it. Without its endpoint the agent works all the same.
func TestEndpointTaken(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Skip("SKIP: no Unix sockets here: ", err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	alive := filepath.Join(dir, "alive.sock")
	other, err := net.Listen("unix", alive)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, said string }{{stale, "msg=\"local endpoint\""}, {alive, "another agent"}, {file, "no socket"}} {
		srv := newServer(t, nil)
		up := make(chan struct{})
		app := &connectedApp{up: up}
		ag := start(t, srv, app, func(_ *libagent.Options, conf *testConf) { conf.HTTP.Listen = "unix:" + c.path })
		<-up
		stop(t, ag)
		if strings.Count(ag.Log(), c.said) == 0 {
			t.Errorf("%s: the log lacks %q", c.path, c.said)
		}
	}
	if _, err := os.Lstat(stale); !os.IsNotExist(err) {
		t.Errorf("the socket stays behind: %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("a file was replaced: %q, %v", text, err)
	}
}

// What is in the way of the endpoint is often the agent before, which still ends: the endpoint is there when that one is gone.
func TestEndpointLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.sock")
	before, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("SKIP: no Unix sockets here: ", err)
	}
	defer before.Close()
	ag := start(t, newServer(t, nil), &testApp{}, func(_ *libagent.Options, conf *testConf) { conf.HTTP.Listen = "unix:" + path })
	looked, err := before.Accept()
	if err != nil {
		t.Fatal(err)
	}
	looked.Close()
	before.Close()
	if code, _ := get(t, "unix:"+path, "/healthz", nil); code != http.StatusOK {
		t.Errorf("healthz: status %d", code)
	}
	stop(t, ag)
	if n := strings.Count(ag.Log(), "is tried again"); n != 1 {
		t.Errorf("told %d times that the socket was taken", n)
	}
}

// connectedApp tells when it is connected.
type connectedApp struct {
	testApp
	up chan struct{}
}

func (a *connectedApp) Connected(context.Context, *libagent.Agent) { close(a.up) }

// More connections than the endpoint serves wait, and cost the agent nothing else.
func TestEndpointCrowd(t *testing.T) {
	addr := freeport.Addr(t)
	connectedAgent(t, func(_ *libagent.Options, c *testConf) { c.HTTP.Listen = addr })
	get(t, addr, "/healthz", nil)
	var crowd []net.Conn
	for range 40 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, c)
	}
	quick := &http.Client{Timeout: 100 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	if resp, err := quick.Get("http://" + addr + "/healthz"); err == nil {
		resp.Body.Close()
		t.Error("the endpoint serves more connections than it says")
	}
	for _, c := range crowd {
		c.Close()
	}
	if code, _ := get(t, addr, "/healthz", nil); code != http.StatusOK {
		t.Errorf("after the crowd has left: status %d", code)
	}
}

// Whatever a label holds, it ends where it should.
func TestLabels(t *testing.T) {
	for label, want := range map[string]string{"a": "a", `"} 1`: `\"} 1`, "a\nb\\": `a\nb\\`, "\xff": "\ufffd"} {
		if got := libagent.AppendLabel(label); got != want {
			t.Errorf("%q: %q, want %q", label, got, want)
		}
	}
}

// The endpoint is for this host alone.
func TestEndpointAddress(t *testing.T) {
	for listen, right := range map[string]bool{
		"unix:run/agent.sock": true, "unix:/run/agent.sock": true, "127.0.0.1:9100": true, "[::1]:9100": true, "localhost:0": true, "127.8.9.1:1": true,
		"unix:": false, ":9100": false, "0.0.0.0:9100": false, "[::]:9100": false, "10.0.0.1:9100": false, "example.com:80": false, "9100": false, "localhost": false,
	} {
		c := &testConf{}
		c.Server, c.HTTP.Listen = []string{"server-1"}, listen
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := libagent.Run(ctx, &testApp{setup: func(*libagent.Agent) error { return context.Canceled }}, &libagent.Options{Config: c})
		if refused := err != nil && strings.Contains(err.Error(), "http.listen"); refused == right {
			t.Errorf("%q: %v", listen, err)
		}
	}
}
