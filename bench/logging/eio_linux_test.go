package logging_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/bench/internal/faultfs"
	"github.com/jkstack/jkframe/v2/logging"
)

// text is a writer that may be read while it is written.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (t *text) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(b)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// The disk dies under the log: standard output has every line, the fault is shown once, and what is missing in the file is
// said there when the disk is back.
func TestDiskDies(t *testing.T) {
	disk := faultfs.Mount(t)
	var stdout, stderr text
	log, err := logging.Open(logging.Config{
		Name: "agent", Dir: disk.Dir(), Target: []string{logging.TargetStdout, logging.TargetFile},
		Stdout: &stdout, Stderr: &stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	log.Logger().Info("before")
	disk.FailWrites(syscall.EIO)
	const lost = 100
	for i := range lost {
		log.Logger().Info("lost", "n", i)
	}
	if n := strings.Count(stderr.String(), "input/output error"); n != 1 {
		t.Errorf("the fault was shown %d times: %q", n, stderr.String())
	}
	if err := log.Err(); err == nil {
		t.Error("the log says that all is well")
	}
	disk.FailWrites(0)
	file := filepath.Join(disk.Dir(), "agent.log")
	said := 0
	for deadline := time.Now().Add(time.Minute); !strings.Contains(read(t, file), "after"); said++ {
		if time.Now().After(deadline) {
			t.Fatalf("the disk is back and the file is %q", read(t, file))
		}
		log.Logger().Info("after", "n", said)
		time.Sleep(10 * time.Millisecond) // the file is tried every 100 ms
	}
	if n := strings.Count(stdout.String(), "\n"); n != 1+lost+said {
		t.Errorf("standard output has %d lines of %d", n, 1+lost+said)
	}
	s, lines := log.Stats(), read(t, file)
	if !strings.Contains(lines, "INFO before") || strings.Contains(lines, "INFO lost") || !strings.Contains(lines, fmt.Sprintf("lost=%d ", s.Lost)) {
		t.Errorf("the file is %q, %+v", lines, s)
	}
	if s.Lost < lost || s.Faults == 0 || log.Err() != nil {
		t.Errorf("%+v, %v", s, log.Err())
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
