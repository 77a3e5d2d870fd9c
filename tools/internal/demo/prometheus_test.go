package demo_test

import (
	"context"
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

	"github.com/jkstack/jkframe/v2/internal/freeport"
	"github.com/jkstack/jkframe/v2/tools/internal/demo"
)

// A real Prometheus scrapes the demo, with the config in contrib and the demo's token; then its API answers with this machine's
// figures, which the demo's metrics-agent has reported, and it knows the alerts.
func TestPrometheus(t *testing.T) {
	prometheus, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("SKIP: prometheus is not installed")
	}
	if runtime.GOOS != "linux" {
		t.Skip("SKIP: the figures are compared with /proc")
	}
	dir := t.TempDir()
	temporary(t)
	ctx, cancel := context.WithCancel(t.Context())
	shown, ended := make(chan struct{}), make(chan error, 1)
	out := &screen{wait: "Ctrl-C ends it", see: func() { close(shown) }}
	go func() { ended <- demo.Run(ctx, demo.Options{Root: "../../..", Out: out}) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	select {
	case <-shown:
	case err := <-ended:
		ended <- nil
		t.Fatal(err)
	}
	found := func(pattern string) string {
		t.Helper()
		out.mu.Lock()
		defer out.mu.Unlock()
		m := regexp.MustCompile(pattern).FindStringSubmatch(out.text.String())
		if m == nil {
			t.Fatalf("the demo did not show %s:\n%s", pattern, out.text.String())
		}
		return m[1]
	}
	api, token, id := found(`API: http://(\S+)`), found(`TOKEN=\$\(cat (.*)\)`), found(`metrics-agent +connected as (\S+)`)
	web := startPrometheus(t, prometheus, dir, api, token)

	total := memTotal(t)
	wait(func() bool {
		v, ok := query(web, `agent_host_memory_size_bytes{id="`+id+`",job="agent-server"}`)
		return ok && v == total
	})
	wait(func() bool {
		v, ok := query(web, `agent_host_cpu_usage_ratio{id="`+id+`"}`)
		return ok && v >= 0 && v <= 1
	})
	wait(func() bool {
		v, ok := query(web, `up{job="agent-server"}`)
		return ok && v == 1
	})
	wait(func() bool {
		sum, ok := query(web, `agent_host_memory_used_bytes + agent_host_memory_free_bytes`)
		if ok && (sum <= 0 || sum > total) {
			t.Errorf("used and free memory are %v of %v", sum, total)
		}
		return ok
	})
	if status, body := get(web, "/api/v1/rules"); status != http.StatusOK || !strings.Contains(body, "HostFilesystemFull") || strings.Contains(body, `"health":"err"`) {
		t.Errorf("rules: %d %.2000s", status, body)
	}
}

// startPrometheus runs Prometheus until the test ends, with the files of contrib, and returns where it answers.
func startPrometheus(t *testing.T, program, dir, api, tokenFile string) (web string) {
	t.Helper()
	text := map[string]string{}
	for _, name := range []string{"prometheus.yml", "alerts.yml"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "contrib", "prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		text[name] = string(b)
	}
	text["prometheus.yml"] = strings.NewReplacer("15s", "1s", "127.0.0.1:13080", api, "/etc/prometheus/agent-server.token", tokenFile).Replace(text["prometheus.yml"])
	for name, content := range text {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	web = freeport.Addr(t)
	cmd := exec.Command(program, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "tsdb"),
		"--web.listen-address="+web, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // says that it was killed
	})
	return web
}

// wait returns when it is so: a scrape of a busy machine may be late, or fail for once.
func wait(is func() bool) {
	for !is() {
		time.Sleep(50 * time.Millisecond)
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
