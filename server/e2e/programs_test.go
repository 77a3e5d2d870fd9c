package e2e_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// build builds the programs of this repository into a folder.
func build(t *testing.T, packages ...string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", append([]string{"build", "-o", dir + string(filepath.Separator)}, packages...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return dir
}

func executable(dir, name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(dir, name)
}

// program is a process of the test.
type program struct {
	t   *testing.T
	cmd *exec.Cmd
	out *os.File
}

func run(t *testing.T, dir string, args ...string) *program {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, out: out, cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill(); out.Close() })
	return p
}

func (p *program) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

func (p *program) log() string {
	b, _ := os.ReadFile(p.out.Name())
	return string(b)
}

func write(t *testing.T, file, format string, args ...any) string {
	t.Helper()
	if err := os.WriteFile(file, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// eventually waits for what other processes do, and returns how long that took. What never happens ends with the patience of
// go test: how busy a machine is decides nothing.
func eventually(t *testing.T, what string, happened func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal(what + ": it did not happen")
		}
	}
	return time.Since(begin)
}

// api is a client of the server's API.
type api struct {
	addr, tokenFile string
	client          *http.Client // whose connections stay. By default, none does.
}

// get returns the status and the payload of an answer; 0 when there was none.
func (a api) get(path string) (int, json.RawMessage) {
	token, err := os.ReadFile(a.tokenFile)
	if err != nil {
		return 0, nil
	}
	req, err := http.NewRequest(http.MethodGet, "http://"+a.addr+path, nil)
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	client := a.client
	if client == nil {
		client, req.Close = http.DefaultClient, true
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, nil
	}
	var env struct{ Payload json.RawMessage }
	if json.Unmarshal(body, &env) != nil {
		return resp.StatusCode, body
	}
	return resp.StatusCode, env.Payload
}

func (a api) agents() int {
	_, payload := a.get("/api/info/server")
	var info struct{ Agents int }
	if json.Unmarshal(payload, &info) != nil {
		return -1
	}
	return info.Agents
}

// The main job, as an operator sees it: programs as they are built, config files as they are shipped.
func TestPrograms(t *testing.T) {
	t.Parallel()
	bin := build(t, "github.com/jkstack/jkframe/v2/server/agent-server", "github.com/jkstack/jkframe/v2/examples/example-agent")
	dir := t.TempDir()
	listen, apiListen := freeport.Addr(t), freeport.Addr(t)
	serverConf := write(t, filepath.Join(dir, "server.conf"), "listen = %s\napi.listen = %s\ndata_dir = data\nid = e2e\n", listen, apiListen)
	serve := func() *program { return run(t, dir, executable(bin, "agent-server"), "run", "--conf", serverConf) }
	server := serve()
	a := api{addr: apiListen, tokenFile: filepath.Join(dir, "data", "api.token")}

	const n = 10
	var agents []*program
	var confs []string
	for i := range n {
		home := t.TempDir()
		id := fmt.Sprintf("basic.id = e2e-%d\n", i)
		if i == 0 {
			id = "# to be assigned\nbasic.id =   # by the server\n"
		}
		conf := write(t, filepath.Join(home, "agent.conf"), "%sbasic.server = %s\nbasic.log.target = stdout,file\nbasic.log.dir = logs\nbasic.monitor.interval = 1s\n", id, listen)
		confs = append(confs, conf)
		agents = append(agents, run(t, home, executable(bin, "example-agent"), "run", "--conf", conf))
	}
	eventually(t, "all agents connected", func() bool { return a.agents() == n })

	// The id that the server assigned is in the file, and the comments still are.
	conf, err := os.ReadFile(confs[0])
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`^# to be assigned\nbasic.id = (agent-\d{8}-[0-9a-f]{16})   # by the server\n`).FindSubmatch(conf)
	if m == nil {
		t.Fatalf("the config file of the agent without id is\n%s", conf)
	}
	assigned := string(m[1])
	if status, _ := a.get("/api/foo/" + assigned); status != http.StatusOK {
		t.Errorf("foo of the agent with the assigned id: status %d", status)
	}
	if status, _ := a.get("/api/foo/nobody"); status != http.StatusNotFound {
		t.Errorf("foo of nobody: status %d", status)
	}
	if _, text := a.get("/metrics"); !strings.Contains(string(text), `agent_info{agent_type="example-agent",id="e2e-3",tag="startup"}`) {
		t.Errorf("the metrics do not show the agents:\n%.2000s", text)
	}

	// The log of an agent can be had from afar, and nothing else of its host.
	var logs []struct {
		Name string
		Size int64
	}
	if _, payload := a.get("/api/agents/e2e-3/logs"); json.Unmarshal(payload, &logs) != nil || len(logs) != 1 || logs[0].Name != "example-agent.log" || logs[0].Size == 0 {
		t.Errorf("the log files of an agent are %+v", logs)
	}
	status, zipped := a.get("/api/agents/e2e-3/log/download?files=example-agent.log")
	if z, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped))); status != http.StatusOK || err != nil || len(z.File) != 1 || z.File[0].Name != "example-agent.log" {
		t.Errorf("the download: status %d, %d bytes, %v", status, len(zipped), err)
	}
	if status, body := a.get("/api/agents/e2e-3/log/download?files=../agent.conf"); status != http.StatusServiceUnavailable {
		t.Errorf("the config file by way of the log: status %d, %s", status, body)
	}

	// Killed, and started again after a second: all come back. How soon they try is what the tests of libagent's backoff say.
	server.kill()
	killed := time.Now()
	time.Sleep(time.Second)
	server = serve()
	eventually(t, "all agents back", func() bool { return a.agents() == n })
	t.Logf("back %v after the kill", time.Since(killed).Round(time.Millisecond))
	if status, _ := a.get("/api/foo/" + assigned); status != http.StatusOK {
		t.Errorf("foo after the restart: status %d", status)
	}

	// An agent that is killed is gone at once, and its id free.
	agents[1].kill()
	eventually(t, "the killed agent is gone", func() bool { return a.agents() == n-1 })
	agents[1] = run(t, filepath.Dir(confs[1]), executable(bin, "example-agent"), "run", "--conf", confs[1])
	eventually(t, "it is back under its id", func() bool { return a.agents() == n })

	if runtime.GOOS == "windows" {
		return // no signals
	}
	for i, p := range append(agents, server) {
		p.cmd.Process.Signal(os.Interrupt)
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("program %d ended with %v:\n%s", i, err, p.log())
		}
	}
}
