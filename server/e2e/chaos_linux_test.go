package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
)

// chaosTime is how long chaos reigns, and how long a single fault may last: minutes with JKFRAME_SOAK, whose value may be a
// duration, else seconds.
func chaosTime() (all, fault time.Duration) {
	if !soaking() {
		return 15 * time.Second, 2 * time.Second
	}
	if d, err := time.ParseDuration(os.Getenv("JKFRAME_SOAK")); err == nil {
		return d, 40 * time.Second
	}
	return 20 * time.Minute, 40 * time.Second
}

// chaos is a server and its agents as programs, each agent behind a line of its own.
type chaos struct {
	t        *testing.T
	bin, dir string
	conf     string
	api      api
	server   *program
	agents   []*chaosAgent
}

type chaosAgent struct {
	id, home string
	line     *relay
	program  *program
}

func (c *chaos) serve() {
	c.server = run(c.t, c.dir, executable(c.bin, "agent-server"), "run", "--conf", c.conf)
}

func (c *chaos) start(a *chaosAgent) {
	a.program = run(c.t, a.home, executable(c.bin, "example-agent"), "run", "--conf", filepath.Join(a.home, "agent.conf"))
}

func (a *chaosAgent) configure(t *testing.T, interval string) {
	t.Helper()
	write(t, filepath.Join(a.home, "agent.conf"), "basic.id = %s\nbasic.server = %s\nbasic.log.target = stdout\nbasic.monitor.interval = 1s\ninterval = %s\n",
		a.id, a.line.addr(), interval)
}

// faults are what can happen, each with what ends it.
func (c *chaos) faults() map[string]func(a *chaosAgent, wait func()) {
	line := func(m lineMode) func(*chaosAgent, func()) {
		return func(a *chaosAgent, wait func()) { a.line.set(m); wait(); a.line.set(lineGood) }
	}
	return map[string]func(*chaosAgent, func()){
		"reset":       func(a *chaosAgent, _ func()) { a.line.reset() },
		"frozen line": line(lineFrozen),
		"slow line":   line(lineSlow),
		"closed line": func(a *chaosAgent, wait func()) { a.line.set(lineClosed); a.line.reset(); wait(); a.line.set(lineGood) },
		"server killed": func(_ *chaosAgent, wait func()) {
			c.server.kill()
			wait()
			c.serve()
		},
		"server stopped": func(_ *chaosAgent, wait func()) { stopFor(c.server, wait) },
		"agent stopped":  func(a *chaosAgent, wait func()) { stopFor(a.program, wait) },
		"agent killed": func(a *chaosAgent, wait func()) {
			a.program.kill()

			wait()
			c.start(a)
		},
		"config changed": func(a *chaosAgent, _ func()) { a.configure(c.t, fmt.Sprintf("%dms", 500+rand.IntN(1000))) },
		"bad config":     func(a *chaosAgent, wait func()) { a.configure(c.t, "soon"); wait(); a.configure(c.t, "1s") },
	}
}

// stopFor has a program stand still, as a machine does that swaps.
func stopFor(p *program, wait func()) {
	p.cmd.Process.Signal(syscall.SIGSTOP)
	wait()
	p.cmd.Process.Signal(syscall.SIGCONT)
}

// Lines break, freeze and crawl, programs are killed and stand still, configs change: after each of it every agent is back
// and answers, and at the end all of them stop in order, having grown no more than a little.
func TestChaos(t *testing.T) {
	t.Parallel()
	c := &chaos{t: t, dir: t.TempDir()}
	c.bin = build(t, "github.com/jkstack/jkframe/v2/server/agent-server", "github.com/jkstack/jkframe/v2/examples/example-agent")
	listen, apiListen := freeport.Addr(t), freeport.Addr(t)
	c.conf = write(t, filepath.Join(c.dir, "server.conf"), "listen = %s\napi.listen = %s\ndata_dir = data\n", listen, apiListen)
	c.api = api{addr: apiListen, tokenFile: filepath.Join(c.dir, "data", "api.token")}
	c.serve()
	for i := range 3 {
		a := &chaosAgent{id: fmt.Sprintf("chaos-%d", i), home: t.TempDir(), line: newRelay(t, listen)}
		a.configure(t, "1s")
		c.start(a)
		c.agents = append(c.agents, a)
	}
	back := func(after string) {
		t.Helper()
		for _, a := range c.agents {
			eventually(t, a.id+" answers after "+after, func() bool {
				status, _ := c.api.get("/api/foo/" + a.id)
				return status == http.StatusOK
			})
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, a := range c.agents {
				log := a.program.log()
				t.Logf("%s:\n%s", a.id, log[max(0, len(log)-4000):])
			}
		}
	})
	back("the start")

	all, longest := chaosTime()
	seed := rand.Uint64()
	t.Logf("seed %d, for %v", seed, all)
	r := rand.New(rand.NewPCG(seed, 0))
	faults := c.faults()
	names := []string{"reset", "frozen line", "slow line", "closed line", "server killed", "server stopped", "agent stopped", "agent killed", "config changed", "bad config"}
	if len(names) != len(faults) {
		t.Fatalf("%d names of %d faults", len(names), len(faults))
	}
	count := 0
	for begin := time.Now(); time.Since(begin) < all; count++ {
		name, a := names[r.IntN(len(names))], c.agents[r.IntN(len(c.agents))]
		d := time.Duration(r.Int64N(int64(longest)))
		faults[name](a, func() { time.Sleep(d) })
		began := time.Now()
		back(fmt.Sprintf("%q of %s for %v", name, a.id, d))
		t.Logf("%q of %s for %v: back after %v", name, a.id, d, time.Since(began).Round(time.Millisecond))
	}
	t.Logf("%d faults", count)
	for _, a := range c.agents {
		files, memory := grown(t, a.program.cmd.Process.Pid)
		t.Logf("%s: %d open files, %d kB", a.id, files, memory)
		if files > 40 || memory > 64<<10 {
			t.Errorf("%s has %d open files and %d kB of memory", a.id, files, memory)
		}
		a.program.cmd.Process.Signal(os.Interrupt)
		if err := a.program.cmd.Wait(); err != nil {
			t.Errorf("%s ended with %v", a.id, err)
		}
		if log := a.program.log(); strings.Contains(log, "panic") {
			t.Errorf("%s has panicked:\n%s", a.id, log)
		}
	}
}

// grown returns how many files a process has open, and its memory in kB.
func grown(t *testing.T, pid int) (files, memory int) {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rss, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			memory, err = strconv.Atoi(strings.Fields(rss)[0])
		}
	}
	if err != nil || memory == 0 {
		t.Fatalf("memory of %d: %v", pid, err)
	}
	return len(open), memory
}
