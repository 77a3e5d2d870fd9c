package limit_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/limit"
)

// help is what the test's binary does in place of tests, as a child of a test. It returns the exit status.
func help(name string, args []string) int {
	switch name {
	case "spin": // threads, seconds
		spin(number(args[0]), time.Duration(number(args[1]))*time.Second)
	case "fill": // MiB
		fmt.Println(len(fill(number(args[0]) << 20)))
	case "wait":
		io.Copy(io.Discard, os.Stdin)
	case "agent":
		return runAgent(args[0])
	default:
		return helpHere(name, args)
	}
	return 0
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// spin keeps threads busy.
func spin(threads int, d time.Duration) {
	end := time.Now().Add(d)
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			runtime.LockOSThread()
			for time.Now().Before(end) {
			}
		})
	}
	wg.Wait()
}

// fill uses memory, every page of it.
func fill(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 4096 {
		b[i] = 1
	}
	return b
}

// helper is the command that runs help.
func helper(name string, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), helperVariable+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// state is what an agent says about itself.
type state struct {
	Results  []limit.Result
	Err      string
	Place    string // in the trees of control groups
	MaxProcs int
	MemLimit int64
	Usage    limit.Usage
	Spent    time.Duration // CPU time of a child
	Outcome  string        // of a child
}

// runAgent is a program that limits itself and does what it is told by lines.
func runAgent(config string) int {
	var c limit.Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		panic(err)
	}
	applied, err := limit.Apply(c)
	say := json.NewEncoder(os.Stdout)
	s := state{Results: applied.Results()}
	for lines := bufio.NewScanner(os.Stdin); ; {
		if err != nil {
			s.Err = err.Error()
		}
		s.Place, s.MaxProcs, s.MemLimit = placeOf(os.Getpid()), runtime.GOMAXPROCS(0), debug.SetMemoryLimit(-1)
		say.Encode(s)
		if !lines.Scan() {
			return 0
		}
		s, err = state{}, nil
		switch lines.Text() {
		case "close":
			err = applied.Close()
		case "spin": // a child of it, without a group
			child := helper("spin", "2", "3")
			err = child.Run()
			s.Spent = child.ProcessState.UserTime() + child.ProcessState.SystemTime()
		case "fill": // a child in a group without limits of its own, as those after it
			s.Outcome, s.Usage, err = runInGroup(applied, helper("fill", "400"))
		case "where":
			s.Outcome, s.Usage, err = runInGroup(applied, exec.Command("cat", "/proc/self/cgroup"))
		case "replace": // itself by the same program
			err = syscall.Exec(os.Args[0], os.Args, os.Environ())
		case "leak": // a child that outlives it
			child := exec.Command("sleep", "1000000")
			err = child.Start()
			s.Outcome = fmt.Sprint(child.Process.Pid)
		}
	}
}

// runInGroup runs a child in a group and gives what it wrote, or how it ended.
func runInGroup(applied *limit.Applied, cmd *exec.Cmd) (string, limit.Usage, error) {
	g, err := applied.NewGroup(limit.GroupConfig{})
	if err != nil {
		return "", limit.Usage{}, err
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := g.Start(cmd); err != nil {
		return "", limit.Usage{}, err
	}
	if err := cmd.Wait(); err != nil {
		out.WriteString(err.Error())
	}
	err = g.Close()
	usage, _ := g.Usage()
	return out.String(), usage, err
}

// agent is such a program, seen from a test.
type agent struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *json.Decoder
	first state
}

func startAgent(t *testing.T, config limit.Config, prepare ...func(*exec.Cmd)) *agent {
	t.Helper()
	b, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	a := &agent{t: t, cmd: helper("agent", string(b))}
	for _, p := range prepare {
		p(a.cmd)
	}
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.stop)
	a.out = json.NewDecoder(out)
	a.first = a.read()
	return a
}

func (a *agent) read() state {
	a.t.Helper()
	var s state
	if err := a.out.Decode(&s); err != nil {
		a.t.Fatalf("the agent is gone: %v", err)
	}
	return s
}

// do tells the agent to do something.
func (a *agent) do(what string) state {
	a.t.Helper()
	if _, err := fmt.Fprintln(a.in, what); err != nil {
		a.t.Fatalf("the agent is gone: %v", err)
	}
	return a.read()
}

// stop has the agent clean up and ends it.
func (a *agent) stop() {
	if a.cmd.ProcessState != nil {
		return
	}
	fmt.Fprintln(a.in, "close")
	a.in.Close()
	a.cmd.Wait()
}

// result finds the result of a limit.
func result(t *testing.T, results []limit.Result, name string) limit.Result {
	t.Helper()
	for _, r := range results {
		if r.Limit == name {
			return r
		}
	}
	t.Fatalf("no result for %s in %v", name, results)
	return limit.Result{}
}
