package process_test

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/process"
)

// runner gives a Runner that is closed at the test's end, when nothing of it may be left.
func runner(t testing.TB, cfg process.Config) *process.Runner {
	t.Helper()
	r := process.NewRunner(cfg)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// buffer is an output that several goroutines may look at.
type buffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// run runs a command to its end.
func run(t testing.TB, r *process.Runner, c process.Command) (string, process.Result) {
	t.Helper()
	var out buffer
	c.Output = &out
	p, err := r.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	res := p.Wait()
	if res.Err != nil {
		t.Error(res.Err)
	}
	return out.String(), res
}

// line waits for a line of the output.
func line(t *testing.T, out *buffer, n int) string {
	t.Helper()
	for ; ; time.Sleep(5 * time.Millisecond) {
		if lines := strings.SplitAfter(out.String(), "\n"); len(lines) > n+1 || len(lines) == n+1 && strings.HasSuffix(lines[n], "\n") {
			return strings.TrimSpace(lines[n])
		}
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
