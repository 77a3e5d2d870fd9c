package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A real Prometheus scrapes the server, with the config in contrib and a token; then its API answers with this machine's figures,
// which a real metrics-agent has reported, and it knows the alerts.
func TestPrometheus(t *testing.T) {
	prometheus, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("SKIP: prometheus is not installed")
	}
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: the figures are compared with /proc")
	}
	t.Parallel()
	bin := build(t, "github.com/jkstack/jkframe/v2/server/agent-server", "github.com/jkstack/jkframe/v2/examples/metrics-agent")
	dir := t.TempDir()
	listen, apiListen, web := freePort(t), freePort(t), freePort(t)
	conf := write(t, filepath.Join(dir, "server.conf"), "listen = %s\napi.listen = %s\ndata_dir = data\nmetrics.file = reports.jsonl\n", listen, apiListen)
	server := run(t, dir, executable(bin, "agent-server"), "run", "--conf", conf)
	a := api{addr: apiListen, tokenFile: filepath.Join(dir, "data", "api.token")}
	eventually(t, 20*time.Second, "the server answers", func() bool { return a.agents() == 0 })
	agentConf := write(t, filepath.Join(dir, "agent.conf"), "basic.id = e2e\nbasic.server = %s\ntask.usage.interval = 1s\nbasic.log.dir = logs\n", listen)
	agent := run(t, dir, executable(bin, "metrics-agent"), "run", "--conf", agentConf)

	contrib := filepath.Join("..", "..", "contrib", "prometheus")
	text, err := os.ReadFile(filepath.Join(contrib, "prometheus.yml"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile(filepath.Join(contrib, "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "alerts.yml"), "%s", rules)
	config := strings.NewReplacer("15s", "1s", "127.0.0.1:13080", apiListen, "/etc/prometheus/agent-server.token", a.tokenFile).Replace(string(text))
	configFile := write(t, filepath.Join(dir, "prometheus.yml"), "%s", config)
	p := run(t, dir, prometheus, "--config.file="+configFile, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+web, "--log.level=warn")

	total := memTotal(t)
	eventually(t, 60*time.Second, "Prometheus has this machine's memory", func() bool {
		v, ok := query(web, `agent_host_memory_size_bytes{id="e2e",job="agent-server"}`)
		return ok && v == total
	})
	eventually(t, 60*time.Second, "and its usage", func() bool {
		v, ok := query(web, `agent_host_cpu_usage_ratio{id="e2e"}`)
		return ok && v >= 0 && v <= 1
	})
	if up, ok := query(web, `up{job="agent-server"}`); !ok || up != 1 {
		t.Errorf("up is %v; Prometheus:\n%s\nserver:\n%s\nagent:\n%s", up, p.log(), server.log(), agent.log())
	}
	sum, ok := query(web, `agent_host_memory_used_bytes{id="e2e"} + agent_host_memory_free_bytes{id="e2e"}`)
	if !ok || sum <= 0 || sum > total {
		t.Errorf("used and free memory are %v of %v", sum, total)
	}
	if status, body := get(web, "/api/v1/rules"); status != http.StatusOK || !strings.Contains(body, "HostFilesystemFull") || strings.Contains(body, `"health":"err"`) {
		t.Errorf("rules: %d %.2000s", status, body)
	}
	if lines, err := os.ReadFile(filepath.Join(dir, "reports.jsonl")); err != nil || !strings.Contains(string(lines), `"agent":"e2e"`) {
		t.Errorf("the file of reports: %.300s, %v", lines, err)
	}
}

// memTotal is the machine's memory as the kernel says it, or what its container may use.
func memTotal(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`MemTotal: +(\d+) kB`).FindSubmatch(text)
	n, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	n *= 1024
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		if text, err := os.ReadFile(file); err == nil {
			if limit, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64); err == nil {
				n = min(n, limit)
			}
		}
	}
	return n
}

func get(addr, path string) (int, string) {
	req, err := http.NewRequest(http.MethodGet, "http://"+addr+path, nil)
	if err != nil {
		return 0, ""
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, string(body)
}

// query asks Prometheus for the one value of an expression.
func query(addr, expr string) (float64, bool) {
	_, body := get(addr, "/api/v1/query?query="+url.QueryEscape(expr))
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if json.Unmarshal([]byte(body), &answer) != nil || len(answer.Data.Result) != 1 {
		return 0, false
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}
