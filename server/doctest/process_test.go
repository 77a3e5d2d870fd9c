package doctest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/doccheck"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// program returns the one program of a document that holds a text.
func program(t *testing.T, file, text string) string {
	t.Helper()
	for _, b := range doccheck.Blocks(read(t, file)) {
		if b.Lang == "go" && strings.Contains(b.Text, text) {
			return b.Text
		}
	}
	t.Fatalf("%s: no program with %q", file, text)
	return ""
}

// build compiles a program with the module in a folder.
func build(t *testing.T, dir, code string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "program.exe")
	if err := doccheck.Build(t.Context(), dir, code, binary); err != nil {
		t.Fatalf("%v\n%s", err, code)
	}
	return binary
}

// process is a program that runs until the test ends.
type process struct {
	ended chan struct{}
	mu    sync.Mutex // guards said
	said  bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *process) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// launch runs a program in a folder with a config file of its own.
func launch(t *testing.T, dir, binary, conf string, args ...string) *process {
	t.Helper()
	if conf != "" {
		if err := os.WriteFile(filepath.Join(dir, "agent.conf"), []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &process{ended: make(chan struct{})}
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, p, p
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var err error
	go func() {
		defer close(p.ended)
		err = cmd.Wait()
	}()
	t.Cleanup(func() {
		told := runtime.GOOS != "windows" // which has no such signal
		if told {
			cmd.Process.Signal(os.Interrupt)
		} else {
			cmd.Process.Kill()
		}
		<-p.ended
		if told && err != nil {
			t.Errorf("%s: %v\n%s", filepath.Base(binary), err, p)
		}
	})
	return p
}

// eventually tries until it works; what never works ends with the processes, or with the patience of go test.
func eventually(t *testing.T, what string, try func() error, needs ...*process) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		for _, p := range needs {
			select {
			case <-p.ended:
				t.Fatalf("%s: %v; a program has ended:\n%s", what, err, p)
			default:
			}
		}
		<-again.C
	}
}
