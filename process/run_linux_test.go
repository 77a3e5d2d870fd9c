package process_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/process"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PROCESS_TEST_MINE", "mine")
	t.Setenv("NOTIFY_SOCKET", "@secret")
	size := &process.Size{Rows: 33, Cols: 111}
	for _, tt := range []struct {
		name   string
		c      process.Command
		want   string
		code   int64
		signal string
	}{
		{"list", process.Command{Args: []string{"printf", "%s|", "a  b", "$HOME", ";", "*"}}, "a  b|$HOME|;|*|", 0, ""},
		{"line", process.Command{Line: `printf '%s|' a "$PROCESS_TEST_MINE"; exit 3`}, "a|mine|", 3, ""},
		{"both outputs in order", process.Command{Line: "echo 1; echo 2 >&2; echo 3"}, "1\n2\n3\n", 0, ""},
		{"no input", process.Command{Args: []string{"cat"}}, "", 0, ""},
		{"input", process.Command{Args: []string{"cat"}, Stdin: strings.NewReader("given")}, "given", 0, ""},
		{"input that nobody reads", process.Command{Args: []string{"true"}, Stdin: strings.NewReader(strings.Repeat("x", 1<<20))}, "", 0, ""},
		{"folder", process.Command{Args: []string{"pwd"}, Dir: dir}, dir + "\n", 0, ""},
		{"variables", process.Command{Line: "echo $A $PROCESS_TEST_MINE $NOTIFY_SOCKET", Env: []string{"A=x=1", "PROCESS_TEST_MINE=theirs"}}, "x=1 theirs\n", 0, ""},
		{"signal", process.Command{Line: "kill -9 $$"}, "", -1, "SIGKILL"},
		{"command not found by a shell", process.Command{Line: "no-such-command 2>/dev/null"}, "", 127, ""},
		{"terminal", process.Command{Line: "stty size; echo $TERM; test -t 0 && echo in", Terminal: size}, "33 111\r\nxterm\r\nin\r\n", 0, ""},
		{"bytes", process.Command{Line: `printf '\260\241\000\377'`}, "\xb0\xa1\x00\xff", 0, ""},
		{"text", process.Command{Line: `printf '\260'; sleep 0.1; printf '\241\n\303\251\n'`, Text: true}, "啊\né\n", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, res := run(t, runner(t, process.Config{}), tt.c)
			if out != tt.want || res.Code != tt.code || res.Signal != tt.signal || res.Reason != process.Itself {
				t.Errorf("got %q, %+v; want %q, %d %s", out, res, tt.want, tt.code, tt.signal)
			}
		})
	}
}

// What is typed reaches the command when it reads, and the end of it as well.
func TestInputOfATerminal(t *testing.T) {
	r := runner(t, process.Config{})
	var out buffer
	in, typed := io.Pipe()
	p, err := r.Start(t.Context(), process.Command{Line: "stty -echo; echo ready; cat", Terminal: &process.Size{}, Stdin: in, Output: &out})
	if err != nil {
		t.Fatal(err)
	}
	line(t, &out, 0)
	if _, err := io.WriteString(typed, "typed\n"); err != nil {
		t.Fatal(err)
	}
	_ = typed.Close()
	if p.Wait(); out.String() != "ready\r\ntyped\r\n" {
		t.Errorf("%q", out.String())
	}
}

// A command that reads to the end of its input comes to it on a terminal too, wherever that is.
func TestInputOfATerminalEnds(t *testing.T) {
	r := runner(t, process.Config{})
	file := filepath.Join(t.TempDir(), "got")
	for _, in := range []string{"", "line\n", "line\r", "half a line", "line\nhalf a line"} {
		c := process.Command{Line: "cat > " + file, Terminal: &process.Size{}, Stdin: strings.NewReader(in), Timeout: time.Minute}
		if in == "" {
			c.Stdin = nil
		}
		_, res := run(t, r, c)
		got, err := os.ReadFile(file)
		if want := strings.ReplaceAll(in, "\r", "\n"); string(got) != want || err != nil || res.Code != 0 || res.Reason != process.Itself {
			t.Errorf("%q: %q, %v, %+v", in, got, err, res)
		}
	}
}

// A command that ends while its input goes on lets go of it.
func TestInputIsClosed(t *testing.T) {
	r := runner(t, process.Config{})
	in, typed := io.Pipe()
	if _, res := run(t, r, process.Command{Args: []string{"true"}, Stdin: in}); res.Code != 0 {
		t.Errorf("%+v", res)
	}
	if _, err := typed.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v, want io.ErrClosedPipe", err)
	}
}

// Whoever asks for a command learns why it was not started, and can tell the reasons apart.
func TestStartErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	r := runner(t, process.Config{})
	for name, tt := range map[string]struct {
		c    process.Command
		want error
		text string
	}{
		"not in PATH":        {process.Command{Args: []string{"no-such-command"}}, process.ErrNotFound, `"no-such-command"`},
		"not there":          {process.Command{Args: []string{dir + "/none"}}, process.ErrNotFound, dir},
		"not in their PATH":  {process.Command{Args: []string{"ls"}, Env: []string{"PATH=" + dir}}, process.ErrNotFound, `"ls"`},
		"not in the folder":  {process.Command{Args: []string{"./sh"}, Dir: dir}, process.ErrNotFound, dir + "/sh"},
		"a folder":           {process.Command{Args: []string{dir}}, process.ErrNotExecutable, "is a folder"},
		"no right":           {process.Command{Args: []string{write("plain", "echo", 0o600)}}, process.ErrNotExecutable, "permission denied"},
		"no program":         {process.Command{Args: []string{write("text", "hello", 0o700)}}, process.ErrNotExecutable, "exec format error"},
		"no interpreter":     {process.Command{Args: []string{write("script", "#!/no/such\n", 0o700)}}, process.ErrNotExecutable, "first line"},
		"no folder":          {process.Command{Args: []string{"pwd"}, Dir: dir + "/none"}, process.ErrNoFolder, "no such file"},
		"folder is a file":   {process.Command{Args: []string{"pwd"}, Dir: write("file", "", 0o600)}, process.ErrNoFolder, "is no folder"},
		"no user":            {process.Command{Args: []string{"id"}, User: "no-such-user"}, process.ErrNoUser, "no-such-user"},
		"user is an option":  {process.Command{Args: []string{"id"}, User: "-u"}, process.ErrNoUser, "-u"},
		"sudo as nobody":     {process.Command{Args: []string{"id"}, Auth: process.AuthSudo}, process.ErrNoUser, "sudo"},
		"nothing":            {process.Command{}, process.ErrInvalid, "empty"},
		"both":               {process.Command{Args: []string{"ls"}, Line: "ls"}, process.ErrInvalid, "both"},
		"zero byte":          {process.Command{Args: []string{"ls", "a\x00b"}}, process.ErrInvalid, "zero byte"},
		"no variable":        {process.Command{Args: []string{"ls"}, Env: []string{"=x"}}, process.ErrInvalid, `"=x"`},
		"password of 2 rows": {process.Command{Args: []string{"ls"}, Password: "a\nb"}, process.ErrInvalid, "password"},
	} {
		_, err := r.Start(t.Context(), tt.c)
		if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: error %v, want %v with %q", name, err, tt.want, tt.text)
		}
	}
}

// Nobody misses the end of an output: it is all there when Wait returns, each time, with pipes and on a terminal.
func TestAllOutputBeforeTheEnd(t *testing.T) {
	var want bytes.Buffer
	for i := 1; i <= 200_000; i++ {
		fmt.Fprintln(&want, i)
	}
	onTerminal := bytes.ReplaceAll(want.Bytes(), []byte("\n"), []byte("\r\n"))
	r := runner(t, process.Config{})
	times := 100
	if testing.Short() {
		times = 10
	}
	for i := range times {
		c := process.Command{Args: []string{"seq", "1", "200000"}}
		expected := want.Bytes()
		if i%10 == 0 {
			c.Terminal, expected = &process.Size{}, onTerminal
		}
		if out, _ := run(t, r, c); out != string(expected) {
			t.Fatalf("run %d: %d bytes of %d", i, len(out), len(expected))
		}
	}
}

// alive says whether a process runs; a zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// gone waits for the end of a process that was killed: long, however busy the machine is, but not until it ends by itself.
func gone(t *testing.T, pid int) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 5*time.Minute; time.Sleep(10 * time.Millisecond) {
		if !alive(pid) {
			return
		}
	}
	t.Errorf("process %d is alive", pid)
	_ = syscall.Kill(pid, syscall.SIGKILL)
}

// An operator who kills a command, or whose command times out, finds nothing of it running, however it has tried to get away.
func TestKillsTheWholeTree(t *testing.T) {
	ways := groups(t)
	for name, text := range map[string]string{
		"a new session":   "setsid sleep 1000 & echo $!; wait",
		"ignores TERM":    "trap '' TERM; sleep 1000 & echo $!; while :; do sleep 0.05; done",
		"a double fork":   "(setsid sh -c 'sleep 1000 & echo $!' &); sleep 1000",
		"in a pipeline":   "sleep 1000 | sleep 1000 & echo $!; wait",
		"stopped":         "sleep 1000 & echo $!; kill -STOP $!; wait",
		"closed its pipe": "sleep 1000 >/dev/null 2>&1 & echo $!; exec >/dev/null 2>&1; wait",
	} {
		for _, mechanism := range ways {
			t.Run(name+"/"+mechanism.name, func(t *testing.T) {
				t.Parallel()
				r := runner(t, process.Config{Grace: 300 * time.Millisecond, Group: mechanism.make})
				for _, how := range []process.Reason{process.Killed, process.Stopped} {
					var out buffer
					ctx, cancel := context.WithCancel(t.Context())
					p, err := r.Start(ctx, process.Command{Line: text, Output: &out})
					if err != nil {
						t.Fatal(err)
					}
					child := number(t, line(t, &out, 0))
					if how == process.Killed {
						p.Kill()
					} else {
						cancel()
					}
					if res := p.Wait(); res.Reason != how || res.Err != nil {
						t.Errorf("%s: %+v", how, res)
					}
					gone(t, child)
					cancel()
				}
				for timeout, said := 500*time.Millisecond, ""; said == ""; timeout *= 2 { // on a busy machine it has not begun by then
					var res process.Result
					said, res = run(t, r, process.Command{Line: text, Timeout: timeout})
					if res.Reason != process.Timeout {
						t.Errorf("%s: %+v", process.Timeout, res)
					}
					if said != "" {
						gone(t, number(t, strings.TrimSpace(said)))
					}
				}
			})
		}
	}
}

// A command that cleans up on SIGTERM has the time for it.
func TestGrace(t *testing.T) {
	r := runner(t, process.Config{Grace: time.Minute})
	var out buffer
	p, err := r.Start(t.Context(), process.Command{Line: "trap 'sleep 0.2; echo cleaned; exit 7' TERM; echo ready; while :; do sleep 0.02; done", Output: &out})
	if err != nil {
		t.Fatal(err)
	}
	line(t, &out, 0)
	p.Kill()
	p.Kill()
	if res := p.Wait(); res.Code != 7 || res.Reason != process.Killed || !strings.HasSuffix(out.String(), "cleaned\n") {
		t.Errorf("%+v, %q", res, out.String())
	}
}

// A daemon that a command has started in the background does not hold the command, even if it holds the output, lives on, and
// ends with the Runner.
func TestBackground(t *testing.T) {
	for _, terminal := range []*process.Size{nil, {}} {
		r := process.NewRunner(process.Config{Background: 1})
		var out buffer
		c := process.Command{Line: "trap '' HUP; setsid sleep 1000 & echo $!", Terminal: terminal, Output: &out}
		p, err := r.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		res := p.Wait()
		daemon := number(t, line(t, &out, 0))
		if res.Code != 0 || res.Background != 1 || !alive(daemon) {
			t.Errorf("%+v", res)
		}
		var second buffer
		c.Output = &second
		if p, err = r.Start(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if res := p.Wait(); res.Background != 0 {
			t.Errorf("beyond the bound: %+v", res)
		}
		gone(t, number(t, line(t, &second, 0)))
		if !alive(daemon) {
			t.Error("the daemon is gone")
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		gone(t, daemon)
	}
}

// What the last members of a pipeline write when the command has gone already is not lost.
func TestLateOutput(t *testing.T) {
	r := runner(t, process.Config{})
	// The one in the background reads to the end of a pipe that the shell holds open until it has gone.
	c := process.Command{Line: "mkfifo pipe; (cat pipe; echo late) & exec 3>pipe; echo now", Dir: t.TempDir()}
	if out, res := run(t, r, c); out != "now\nlate\n" || res.Code != 0 {
		t.Errorf("%q, %+v", out, res)
	}
}

// slow is an output that takes long, so that the command's end comes before that of its output.
type slow struct {
	buffer
	delay time.Duration
}

func (s *slow) Write(p []byte) (int, error) {
	time.Sleep(s.delay)
	return s.buffer.Write(p[:min(len(p), 32<<10)])
}

// A slow reader with a background process beside gets all that the command has written, too.
func TestSlowReader(t *testing.T) {
	r := runner(t, process.Config{})
	out := &slow{delay: 400 * time.Millisecond}
	p, err := r.Start(t.Context(), process.Command{Line: "sleep 1000 & head -c 60000 /dev/zero; sleep 0.1; head -c 60000 /dev/zero", Output: out})
	if err != nil {
		t.Fatal(err)
	}
	if res := p.Wait(); len(out.String()) != 120_000 || res.Background != 1 {
		t.Errorf("%d bytes, %+v", len(out.String()), res)
	}
}

// Five hundred at once: so many run as may, the others wait, and each gets its own output.
func TestManyAtOnce(t *testing.T) {
	r := runner(t, process.Config{Running: 20, Waiting: 480})
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			want := strconv.Itoa(i) + "\n"
			if out, res := run(t, r, process.Command{Args: []string{"echo", strconv.Itoa(i)}}); out != want || res.Code != 0 {
				t.Errorf("%d: %q, %+v", i, out, res)
			}
		})
	}
	wg.Wait()
}

// Beyond what may wait a command is refused at once; one that waits can be given up.
func TestQueueIsBounded(t *testing.T) {
	r := process.NewRunner(process.Config{Running: 1, Waiting: 1, Grace: 10 * time.Millisecond})
	first, err := r.Start(t.Context(), process.Command{Args: []string{"sleep", "1000"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	start := func() error {
		_, err := r.Start(ctx, process.Command{Args: []string{"true"}})
		return err
	}
	errs := make(chan error, 2)
	go func() { errs <- start() }()
	go func() { errs <- start() }()
	if err := <-errs; !errors.Is(err, process.ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
	cancel()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	waits := make(chan error)
	ctx = t.Context()
	go func() { waits <- start() }()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waits; !errors.Is(err, process.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
	if res := first.Wait(); res.Reason != process.Stopped || res.Signal != "SIGTERM" {
		t.Errorf("%+v", res)
	}
}

// The window of a terminal can change while the command runs.
func TestResize(t *testing.T) {
	r := runner(t, process.Config{})
	var out buffer
	p, err := r.Start(t.Context(), process.Command{Line: "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.02; done", Terminal: &process.Size{Rows: 1, Cols: 2}, Output: &out})
	if err != nil {
		t.Fatal(err)
	}
	line(t, &out, 0)
	if err := p.Resize(process.Size{Rows: 50, Cols: 60}); err != nil {
		t.Fatal(err)
	}
	if p.Wait(); out.String() != "ready\r\n50 60\r\n" {
		t.Errorf("%q", out.String())
	}
	if p, err = r.Start(t.Context(), process.Command{Args: []string{"true"}}); err != nil {
		t.Fatal(err)
	}
	if err := p.Resize(process.Size{}); !errors.Is(err, process.ErrUnsupported) {
		t.Errorf("error %v, want ErrUnsupported", err)
	}
	p.Wait()
}

// A command is not stopped by an output that cannot be kept; its result says so.
func TestOutputFails(t *testing.T) {
	r := runner(t, process.Config{})
	p, err := r.Start(t.Context(), process.Command{Line: "head -c 1000000 /dev/zero; exit 5", Output: failing{}})
	if err != nil {
		t.Fatal(err)
	}
	if res := p.Wait(); res.Code != 5 || res.Err == nil || res.Err.Error() != "disk full" {
		t.Errorf("%+v", res)
	}
}
