package demo_test

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/tools/internal/demo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// screen is what a person sees; it calls see when a text has appeared.
type screen struct {
	mu   sync.Mutex // guards text
	text strings.Builder
	wait string
	see  func()
}

func (s *screen) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(data)
	if s.wait != "" && strings.Contains(s.text.String(), s.wait) {
		s.wait = ""
		s.see()
	}
	return len(data), nil
}

func (s *screen) contains(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.text.String(), text) {
			t.Errorf("not printed: %q\nin:\n%s", text, s.text.String())
		}
	}
}

// temporary puts the demo's folder where the test can see that it is gone.
func temporary(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Setenv("TMP", dir)
	t.Cleanup(func() {
		left, err := os.ReadDir(dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
}

// A newcomer's first command shows the server's real answers about an agent, also when another program has the port, and ends
// by itself with status 0.
func TestShows(t *testing.T) {
	temporary(t)
	if l, err := net.Listen("tcp", "127.0.0.1:13081"); err == nil {
		defer l.Close()
	}
	var out, errors screen
	code := demo.Command{Stdout: &out, Stderr: &errors}.Main(t.Context(), []string{"-root", "../../..", "-for", "1ms"})
	if code != 0 {
		t.Fatalf("code %d: %s", code, errors.text.String())
	}
	out.contains(t, "127.0.0.1:13081 is taken", "connected as agent-", "/api/agents\n"+`{"code":0,"payload":[{"id":"agent-`,
		`"type":"example-agent"`, "/api/foo/agent-", `"type":"metrics-agent"`, `"inode_usage":`, `"type":"exec-agent"`, "/api/exec/agent-", `"code":0,"end":`, "\nagent_count 3\n", "\nagent_version{", "\nagent_host_cpu_usage_ratio{id=", "Ends by itself in 1ms.")
}

// Ctrl-C ends everything, and is no failure.
func TestInterrupt(t *testing.T) {
	temporary(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &screen{wait: "Ctrl-C ends it", see: cancel}
	if err := demo.Run(ctx, demo.Options{Root: "../../..", Out: out}); err != nil {
		t.Fatal(err)
	}
}

// An agent that does not connect is a failure that shows what the agent said.
func TestAgentFails(t *testing.T) {
	temporary(t)
	t.Setenv("GOWORK", "off")
	var errors screen
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS("testdata/broken")); err != nil {
		t.Fatal(err)
	}
	code := demo.Command{Stdout: &screen{}, Stderr: &errors}.Main(t.Context(), []string{"-root", root, "-for", "1ms"})
	if code != 1 {
		t.Errorf("code %d, want 1", code)
	}
	errors.contains(t, "example-agent ended by itself: exit status 3", "out of order [run --conf conf/agent.conf]")
}

// A server that does not compile is told as the compiler says it.
func TestBuildFails(t *testing.T) {
	temporary(t)
	t.Setenv("GOWORK", "off")
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS("testdata/broken")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+"/server/agent-server/broken.go", []byte("package main\n\nvar x int = \"\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := demo.Run(t.Context(), demo.Options{Root: root, For: time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "broken.go:3") {
		t.Errorf("error: %v", err)
	}
}

// Wrong arguments are told apart from a failure.
func TestUsage(t *testing.T) {
	for args, code := range map[string]int{"-help": 0, "-for 5": 2, "-for 0s": 2, "-nonsense": 2, "surplus": 2, "-root testdata/nothing": 1} {
		if got := (demo.Command{Stdout: &screen{}, Stderr: &screen{}}).Main(t.Context(), strings.Fields(args)); got != code {
			t.Errorf("demo %s: code %d, want %d", args, got, code)
		}
	}
}
