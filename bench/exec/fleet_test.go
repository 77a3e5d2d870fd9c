package exec_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// fleet is a server and one agent, each a process.
type fleet struct {
	url, token string
	agents     string // where agents connect to
	work       string
	dir        string // for files
	client     *http.Client
}

var programs struct {
	once sync.Once
	dir  string
	err  error
}

// build builds both programs once.
func build(b *testing.B) string {
	b.Helper()
	programs.once.Do(func() {
		if programs.dir, programs.err = os.MkdirTemp("", "bench-exec-"); programs.err != nil {
			return
		}
		for name, pkg := range map[string]string{"agent-server": "../../server/agent-server", "exec-agent": "../../examples/exec-agent"} {
			out, err := exec.Command("go", "build", "-o", filepath.Join(programs.dir, name), pkg).CombinedOutput()
			if err != nil {
				programs.err = fmt.Errorf("build %s: %w\n%s", name, err, out)
				return
			}
		}
	})
	if programs.err != nil {
		b.Fatal(programs.err)
	}
	return programs.dir
}

func TestMain(m *testing.M) {
	code := m.Run()
	if programs.dir != "" {
		os.RemoveAll(programs.dir)
	}
	os.Exit(code)
}

func startFleet(b *testing.B) *fleet {
	b.Helper()
	f := newFleet(b)
	f.startServer(b)
	f.startAgent(b)
	f.await(b)
	return f
}

// newFleet makes the folders and the configs of a fleet that is to be started.
func newFleet(b *testing.B) *fleet {
	b.Helper()
	work := b.TempDir()
	f := &fleet{
		work: work, dir: filepath.Join(work, "files"), agents: freeport.Addr(b),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100, ReadBufferSize: 256 << 10}},
	}
	b.Cleanup(f.client.CloseIdleConnections)
	api := freeport.Addr(b)
	f.url = "http://" + api
	for name, text := range map[string]string{
		"server/server.conf": "listen = " + f.agents + "\napi.listen = " + api + "\ndata_dir = data\n",
		"agent/agent.conf":   "basic.id = a\nbasic.server = " + f.agents + "\n",
		"agent/policy.conf": "exec.enabled = true\nexec.allow = *\nexec.shell = true\nfile.read = " + f.dir + "\nfile.write = " + f.dir +
			"\nfile.size = 4GiB\n",
		"files/x": "",
	} {
		file := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return f
}

func (f *fleet) startServer(b *testing.B) {
	b.Helper()
	launch(b, filepath.Join(f.work, "server"), filepath.Join(build(b), "agent-server"), "run", "--conf", "server.conf")
}

func (f *fleet) startAgent(b *testing.B) {
	b.Helper()
	launch(b, filepath.Join(f.work, "agent"), filepath.Join(build(b), "exec-agent"), "run", "--conf", "agent.conf")
}

// await waits until the server has the agent.
func (f *fleet) await(b *testing.B) {
	b.Helper()
	for ; ; time.Sleep(50 * time.Millisecond) {
		if f.token == "" {
			token, _ := os.ReadFile(filepath.Join(f.work, "server", "data", "api.token"))
			f.token = strings.TrimSpace(string(token))
		}
		if resp, err := f.do(http.MethodGet, "/api/agents/a", "", nil); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
	}
}

// launch runs a program until the benchmark ends.
func launch(b *testing.B, dir, name string, args ...string) {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if b.Failed() {
			b.Logf("%s: %s", filepath.Base(name), out.String())
		}
	})
}

func (f *fleet) do(method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := f.request(method, path, contentType, body)
	if err != nil {
		return nil, err
	}
	return f.client.Do(req)
}

func (f *fleet) request(method, path, contentType string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, f.url+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req, nil
}

// file makes a file of n bytes on the agent's host.
func (f *fleet) file(b *testing.B, n int64) string {
	b.Helper()
	name := filepath.Join(f.dir, fmt.Sprint("file-", n))
	out, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	block := make([]byte, 1<<16)
	for i := range block {
		block[i] = byte(i * 7 >> 3)
	}
	for left := n; left > 0; left -= int64(len(block)) {
		if _, err := w.Write(block[:min(left, int64(len(block)))]); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	return name
}
