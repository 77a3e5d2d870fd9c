package logging_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/logging"
	"go.uber.org/goleak"
)

// childVar names the program that this test binary is to be instead of running tests.
const childVar = "LOGGING_TEST_CHILD"

func TestMain(m *testing.M) {
	children := map[string]func(dir string){
		"log": childLog, "move": childMove, "panic": childPanic, "pipe": childPipe, "share": childShare,
	}
	maps.Copy(children, systemChildren())
	if name, dir, ok := strings.Cut(os.Getenv(childVar), " "); ok {
		children[name](dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// child starts this binary as another program in the folder.
func child(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childVar+"="+name+" "+dir)
	return cmd
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// childLog logs numbered lines for ever, and says after each that the call has returned.
func childLog(dir string) {
	l := must(logging.Open(logging.Config{Target: []string{"file"}, Dir: dir, Name: "agent", Size: 10_000, Rotate: 10_000}))
	out := bufio.NewWriterSize(os.Stdout, 16)
	for i := 0; ; i++ {
		l.Logger().Info("line", "n", i)
		fmt.Fprintln(out, i)
		if err := out.Flush(); err != nil {
			return
		}
	}
}

// A line whose call has returned is in the file, even when the process is killed at that moment.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		cmd := child(t, "log", dir)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		last := -1
		lines := bufio.NewScanner(stdout)
		for n := 200 + rand.IntN(2000); lines.Scan(); n-- {
			if last, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		l := open(t, logging.Config{Target: []string{"file"}, Dir: dir, Name: "agent", Size: 1 << 30, Rotate: 10_000})
		all := names(t, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		next := 0
		for _, name := range slices.Backward(all) {
			path := filepath.Join(dir, name)
			for _, m := range messages(t, path) {
				if m != fmt.Sprintf("line n=%d", next) {
					t.Fatalf("%s: %q, want line %d", name, m, next)
				}
				next++
			}
			remove(t, path)
		}
		if next <= last {
			t.Errorf("%d lines, but the call for line %d had returned", next, last)
		}
	}
}

// childMove moves the log's file away, again and again, until its standard input ends.
func childMove(dir string) {
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	for i := 0; ; {
		select {
		case <-ended:
			fmt.Println(i)
			return
		default:
		}
		if os.Rename(filepath.Join(dir, "agent.log"), filepath.Join(dir, fmt.Sprintf("moved.%06d", i))) == nil {
			i++
		}
	}
}

// logMany logs lines from eight goroutines at once.
func logMany(l *logging.Log, lines int) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			logger := l.Logger().With("goroutine", g)
			for i := range lines / 8 {
				logger.Info("request handled", "n", i, "path", "/api/agents/agent-20261120-0123456789abcdef")
			}
		})
	}
	wg.Wait()
}

// checkMany checks that the files hold each of those lines once and whole, an eighth of them from each goroutine. Each file has the lines of a goroutine in order;
// with inOrder the files follow one another too.
func checkMany(t *testing.T, dir string, files []string, lines int, inOrder bool, goroutines int) {
	t.Helper()
	seen := make([][]bool, goroutines)
	for g := range seen {
		seen[g] = make([]bool, lines/8)
	}
	last := make([]int, goroutines)
	for _, name := range files {
		if !inOrder {
			clear(last)
		}
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if s.Text() == "" && goroutines == 2 {
				continue // a process that starts ends the line that another one is just writing
			}
			var g, n int
			_, message, _ := strings.Cut(s.Text(), " INFO ")
			fields := strings.Fields(message)
			if len(fields) == 5 {
				g, _ = strconv.Atoi(strings.TrimPrefix(fields[2], "goroutine="))
				n, _ = strconv.Atoi(strings.TrimPrefix(fields[3], "n="))
			}
			if want := fmt.Sprintf("request handled goroutine=%d n=%d path=/api/agents/agent-20261120-0123456789abcdef", g, n); message != want {
				t.Fatalf("%s: not a whole line: %q", name, s.Text())
			}
			if seen[g][n] || n < last[g] {
				t.Fatalf("%s: line %d of goroutine %d after line %d, seen before: %v", name, n, g, last[g], seen[g][n])
			}
			seen[g][n], last[g] = true, n
		}
		f.Close()
	}
	for g := range seen {
		for n, ok := range seen[g] {
			if !ok {
				t.Fatalf("line %d of goroutine %d is lost", n, g)
			}
		}
	}
}

// many is how many lines the tests with many lines log.
func many(full int) int {
	if testing.Short() {
		return full / 20
	}
	return full / slowdown
}

// Many goroutines log at once while files rotate: every line is there once, whole, and in the order of its goroutine.
func TestManyLines(t *testing.T) {
	for _, buffer := range []int64{0, 64 << 10} {
		t.Run(fmt.Sprint("buffer ", buffer), func(t *testing.T) {
			cfg := fileConfig(t)
			cfg.Size, cfg.Rotate, cfg.Buffer = 1_000_000, 1000, buffer
			l := open(t, cfg)
			lines := many(2_000_000)
			logMany(l, lines)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := l.Files()
			if err != nil {
				t.Fatal(err)
			}
			var oldestFirst []string
			for _, f := range slices.Backward(files) {
				oldestFirst = append(oldestFirst, f.Name)
				if f.Size > cfg.Size {
					t.Errorf("%s has %d bytes", f.Name, f.Size)
				}
			}
			checkMany(t, cfg.Dir, oldestFirst, lines, true, 8)
		})
	}
}

// The same while another process moves the file again and again, and this one opens it again.
func TestManyLinesMoved(t *testing.T) {
	cfg := fileConfig(t)
	cfg.Size, cfg.Rotate = 1_000_000, 1000
	l := open(t, cfg)
	mover := child(t, "move", cfg.Dir)
	stdin, err := mover.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var moved strings.Builder
	mover.Stdout = &moved
	if err := mover.Start(); err != nil {
		t.Fatal(err)
	}
	lines := many(2_000_000)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				if err := l.Reopen(); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	logMany(l, lines)
	close(done)
	wg.Wait()
	stdin.Close()
	if err := mover.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		files = append(files, e.Name())
	}
	t.Logf("moved %s times, %d rotations", strings.TrimSpace(moved.String()), l.Stats().Rotations)
	checkMany(t, cfg.Dir, files, lines, false, 8)
}

// sharedLines is how many lines each of two processes logs.
const sharedLines = 50_000 / slowdown

// childShare logs lines as goroutine 1 of a log that another process writes to as goroutine 0.
func childShare(dir string) {
	l := must(logging.Open(sharedConfig(dir)))
	logShared(l, 1)
	must(0, l.Close())
}

func sharedConfig(dir string) logging.Config {
	return logging.Config{Target: []string{"file"}, Dir: dir, Name: "agent", Size: 100_000, Rotate: 10_000}
}

func logShared(l *logging.Log, g int) {
	logger := l.Logger().With("goroutine", g)
	for i := range sharedLines {
		logger.Info("request handled", "n", i, "path", "/api/agents/agent-20261120-0123456789abcdef")
	}
}

// Two processes with the same log, as when an agent is started twice, rotate it under each other and lose no line.
func TestTwoProcesses(t *testing.T) {
	notOnWindows(t, "does not rename a file that another process has open")
	dir := t.TempDir()
	other := child(t, "share", dir)
	var faults strings.Builder
	other.Stderr = &faults
	cfg := sharedConfig(dir)
	cfg.Stderr = stderr{t}
	l := open(t, cfg)
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	logShared(l, 0)
	if err := other.Wait(); err != nil || faults.Len() > 0 {
		t.Errorf("the other process: %v, %s", err, &faults)
	}
	files := names(t, l)
	checkMany(t, dir, files, 8*sharedLines, false, 2)
}

// childPanic panics in a goroutine with lines in the buffer.
func childPanic(dir string) {
	l := must(logging.Open(logging.Config{Target: []string{"file"}, Dir: dir, Name: "agent", Buffer: 1 << 20}))
	l.Logger().Info("before")
	var wg sync.WaitGroup
	wg.Go(func() {
		defer l.LogPanic()
		panic("boom")
	})
	wg.Wait()
}

// A panic that ends the process is in its log.
func TestPanicEndsProcess(t *testing.T) {
	dir := t.TempDir()
	out, err := child(t, "panic", dir).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: boom") {
		t.Errorf("the child: %v, %s", err, out)
	}
	text := read(t, filepath.Join(dir, "agent.log"))
	if !strings.Contains(text, " INFO before\n") || !strings.Contains(text, " ERROR panic panic=boom ") {
		t.Errorf("log: %q", text)
	}
}

// childPipe logs to a standard output that nobody reads any more.
func childPipe(dir string) {
	io.Copy(io.Discard, os.Stdin) // until the other end is closed
	l := must(logging.Open(logging.Config{Target: []string{"stdout", "file"}, Dir: dir, Name: "agent"}))
	l.Logger().Info("a")
	l.Logger().Info("b")
	must(0, l.Close())
}

// When the reader of standard output goes away, the program lives on, and the file has its lines.
func TestBrokenPipe(t *testing.T) {
	t.Run("standard output", func(t *testing.T) {
		var faults strings.Builder
		breakPipe(t, func(cmd *exec.Cmd, pipe *os.File) { cmd.Stdout, cmd.Stderr = pipe, &faults })
		if strings.Count(faults.String(), "\n") != 1 || !strings.Contains(faults.String(), "logging to standard output fails") {
			t.Errorf("faults: %q", faults.String())
		}
	})
	t.Run("both", func(t *testing.T) {
		breakPipe(t, func(cmd *exec.Cmd, pipe *os.File) { cmd.Stdout, cmd.Stderr = pipe, pipe })
	})
}

// breakPipe runs a program that logs to a pipe whose reader is gone.
func breakPipe(t *testing.T, connect func(cmd *exec.Cmd, pipe *os.File)) {
	t.Helper()
	dir := t.TempDir()
	cmd := child(t, "pipe", dir)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	connect(cmd, w)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	r.Close()
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the child: %v", err)
	}
	equal(t, "file", messages(t, filepath.Join(dir, "agent.log")), []string{"a", "b"})
}
