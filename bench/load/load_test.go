package load_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/bench/load"
)

// TestMain is also the worker processes and the peers, which are this program again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "worker" || os.Args[1] == "peer") {
		c := load.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
		os.Exit(c.Main(context.Background(), os.Args[1:]))
	}
	os.Exit(m.Run())
}

func agentServer(t *testing.T) (bin string) {
	t.Helper()
	bin = filepath.Join(t.TempDir(), "agent-server")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/jkstack/jkframe/v2/server/agent-server").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// A small fleet is measured: every figure is there, and stands in the page between its lines.
func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: it takes a quarter of a minute")
	}
	table, err := load.Bench(t.Context(), agentServer(t), load.Options{Agents: 100, Runs: 1, For: 300 * time.Millisecond, Settle: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "performance.md")
	const begin, end = "<!-- begin: written by make bench -->", "<!-- end: written by make bench -->"
	if err := os.WriteFile(page, []byte("before\n"+begin+"\nold\n"+end+"\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for range 2 { // the second time over what the first has written
		if err := table.WritePage(page, "make bench", now); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	if !strings.HasPrefix(text, "before\n"+begin+"\n\n2026-11-20, ") || !strings.HasSuffix(text, end+"\nafter\n") || strings.Contains(text, "old") {
		t.Errorf("the page is\n%s", text)
	}
	if n := strings.Count(text, "\n| "); n != 18 {
		t.Errorf("%d lines of the table, want the head and 17 figures:\n%s", n, text)
	}
	for _, peer := range []string{"gorilla", "tcp", "tls", "opamp", "http", "relay"} {
		if !strings.Contains(text, peer+" ") {
			t.Errorf("nothing of %s:\n%s", peer, text)
		}
	}
}

// A page without the lines is left alone.
func TestPageWithoutPlace(t *testing.T) {
	page := filepath.Join(t.TempDir(), "performance.md")
	if err := os.WriteFile(page, []byte("by hand\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := new(load.Table).WritePage(page, "", time.Now()); err == nil || !strings.Contains(err.Error(), "no lines") {
		t.Errorf("error %v", err)
	}
	if b, _ := os.ReadFile(page); string(b) != "by hand\n" {
		t.Errorf("the page is %q", b)
	}
}

// A short soak goes through all that an hour does.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: it takes ten seconds")
	}
	var out bytes.Buffer
	if err := load.Soak(t.Context(), agentServer(t), load.SoakOptions{For: 10 * time.Second, Agents: 40}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{" agents ", " agents were killed and started again", " requests, "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// A fleet of metrics agents loses no report.
func TestMetrics(t *testing.T) {
	var out bytes.Buffer
	err := load.Metrics(t.Context(), agentServer(t), load.MetricsOptions{Agents: 200, Every: time.Second, For: 3 * time.Second}, &out)
	if err != nil || !strings.Contains(out.String(), "600 reports, none lost, none twice") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// A machine is made busy for as long as asked.
func TestBusyHost(t *testing.T) {
	var out bytes.Buffer
	if err := load.BusyHost(t.Context(), 20, 3, time.Millisecond, &out); err != nil || out.String() != "20 sockets, 3 processes\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}
