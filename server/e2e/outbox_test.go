package e2e_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jkstack/jkframe/v2/internal/freeport"
	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
)

// numbered is what the counting agent in testdata emits.
type numbered struct {
	Start string `json:"start"`
	N     int    `json:"n"`
	Pad   string `json:"pad"`
}

var numbers = wire.Define[numbered](30200, "number", "number")

// soaking tells whether the tests shall take as long as the promise says: with JKFRAME_SOAK=1 in the environment.
func soaking() bool { return os.Getenv("JKFRAME_SOAK") != "" }

// counting is a server and an agent that counts, as programs in folders of their own.
type counting struct {
	t      *testing.T
	bin    string
	dir    string // of the server
	conf   string
	listen string
	api    api
	server *program
	home   string // of the agent
	id     string
	starts int
}

func newCounting(t *testing.T) *counting {
	c := &counting{t: t, dir: t.TempDir(), home: t.TempDir(), listen: freeport.Addr(t), id: "counter"}
	c.bin = build(t, "github.com/jkstack/jkframe/v2/server/agent-server", "./testdata/counter")
	apiListen := freeport.Addr(t)
	c.conf = write(t, filepath.Join(c.dir, "server.conf"), "listen = %s\napi.listen = %s\ndata_dir = data\n", c.listen, apiListen)
	c.api = api{addr: apiListen, tokenFile: filepath.Join(c.dir, "data", "api.token")}
	return c
}

func (c *counting) serve() {
	c.server = run(c.t, c.dir, executable(c.bin, "agent-server"), "run", "--conf", c.conf)
}

func (c *counting) accepted() string { return filepath.Join(c.home, "accepted") }

// count starts the agent, which emits the numbers up to another one, a thousand a second.
func (c *counting) count(from, to int, more string) *program {
	c.starts++
	conf := write(c.t, filepath.Join(c.home, fmt.Sprintf("agent-%d.conf", c.starts)), "basic.id = %s\nbasic.server = %s\nbasic.reconnect.spread = 0s\n"+
		"basic.outbox.dir = %s\nstart = s%d\nfrom = %d\nto = %d\nevery = 10ms\nburst = 10\naccepted = %s\n%s",
		c.id, c.listen, filepath.Join(c.home, "outbox"), c.starts, from, to, c.accepted(), more)
	return run(c.t, c.home, executable(c.bin, "counter"), "run", "--conf", conf)
}

// noted returns what the outbox had accepted for sure, and how many that are.
func (c *counting) noted() map[string]bool {
	all := make(map[string]bool)
	f, err := os.Open(c.accepted())
	if err != nil {
		return all
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if fields := strings.Fields(s.Text()); len(fields) == 2 {
			all[s.Text()] = true
		}
	}
	return all
}

// journal is what is found in a journal.
type journal struct {
	mu      sync.Mutex // guards what follows
	said    []numbered
	missing uint64
	bad     []string
}

func (j *journal) Take(_ context.Context, entries []server.Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range entries {
		if j.missing += e.Missing; e.Missing > 0 || e.Type != numbers.Type() {
			continue
		}
		n, err := server.Decode(e, numbers)
		if err != nil {
			j.bad = append(j.bad, err.Error())
			continue
		}
		n.Pad = ""
		j.said = append(j.said, n)
	}
	return nil
}

// read reads the journal of a server that does not run any more to its end.
func (c *counting) read() *journal {
	c.t.Helper()
	j := &journal{}
	srv, err := server.New(server.Config{Listen: "none", API: server.APIConfig{Listen: "127.0.0.1:0"}, DataDir: filepath.Join(c.dir, "data")})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := server.Attach(srv, "reader", j); err != nil {
		c.t.Fatal(err)
	}
	if err := srv.Listen(); err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- srv.Run(ctx) }()
	a := api{addr: srv.APIAddr().String(), tokenFile: srv.TokenFile()}
	eventually(c.t, "the journal is read", func() bool {
		_, text := a.get("/metrics")
		return strings.Contains(string(text), `agent_server_journal_sink_lag{sink="reader"} 0`+"\n")
	})
	cancel()
	if err := <-ended; err != nil {
		c.t.Error(err)
	}
	return j
}

// check: everything that was accepted is in the journal, once and in order.
func (c *counting) check(noted map[string]bool) {
	c.t.Helper()
	j := c.read()
	seen, last := make(map[string]bool), make(map[string]int)
	for _, n := range j.said {
		key := fmt.Sprint(n.Start, " ", n.N)
		if seen[key] {
			c.t.Errorf("%s is in the journal twice", key)
		}
		seen[key] = true
		if before, ok := last[n.Start]; ok && n.N != before+1 {
			c.t.Errorf("%s comes after %d", key, before)
		}
		last[n.Start] = n.N
	}
	lost := 0
	for key := range noted {
		if !seen[key] {
			lost++
		}
	}
	c.t.Logf("accepted %d, in the journal %d, lost %d, declared missing %d", len(noted), len(seen), lost, j.missing)
	if lost > 0 || j.missing > 0 || len(j.bad) > 0 || len(seen) > len(noted)+c.starts {
		c.t.Errorf("of %d accepted messages %d are lost, %d declared missing, %d bad; %d are in the journal", len(noted), lost, j.missing, len(j.bad), len(seen))
	}
}

// delivered waits until so many messages are accepted and all that was accepted is delivered.
func (c *counting) delivered(n int) {
	c.t.Helper()
	eventually(c.t, "everything is accepted and delivered", func() bool {
		noted := len(c.noted())
		return noted >= n && c.drained(noted)
	})
}

// drained tells whether n messages have gone through the folder of the agent, and nothing is left in it. Its queue says so in
// the file position: the later of two places has what is acknowledged, and what comes next.
func (c *counting) drained(n int) bool {
	b, err := os.ReadFile(filepath.Join(c.home, "outbox", "bulk", "position"))
	if err != nil || len(b) < 512+36 {
		return false
	}
	place := b[:36]
	if number := binary.LittleEndian.Uint64; number(b[512+8:]) > number(b[8:]) {
		place = b[512:]
	}
	acked, next := binary.LittleEndian.Uint64(place[16:]), binary.LittleEndian.Uint64(place[24:])
	return acked+1 == next && acked >= uint64(n)
}

// An agent emits a thousand messages a second while its server is killed again and again, and frozen: all that it has accepted
// is in the journal once and in order.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	downs, frozen, seconds := []time.Duration{100 * time.Millisecond, time.Second}, 2*time.Second, 8
	if soaking() {
		downs, frozen, seconds = []time.Duration{100 * time.Millisecond, 2 * time.Second, 8 * time.Second}, 10*time.Second, 30
	}
	c := newCounting(t)
	c.serve()
	n := seconds * 1000
	agent := c.count(0, n, "")
	eventually(t, "the agent is connected", func() bool { return c.api.agents() == 1 })
	for _, down := range downs {
		time.Sleep(time.Second)
		c.server.kill()
		time.Sleep(down)
		c.serve()
		eventually(t, "the agent is back", func() bool { return c.api.agents() == 1 })
	}
	freeze(t, c.server)
	time.Sleep(frozen)
	c.server.kill()
	c.serve()
	c.delivered(n)
	agent.kill()
	c.server.kill()
	c.check(c.noted())
}

// The agent is killed and started again in the middle, twice, and once while the server is away: what Emit had accepted is in
// the journal, once.
func TestAgentKilled(t *testing.T) {
	t.Parallel()
	c := newCounting(t)
	c.serve()
	agent := c.count(0, 100_000, "")
	eventually(t, "the agent is at work", func() bool { return len(c.noted()) > 1000 })
	agent.kill()
	agent = c.count(100_000, 200_000, "")
	eventually(t, "the agent is at work again", func() bool { return len(c.noted()) > 2000 })
	c.server.kill()
	n := len(c.noted())
	eventually(t, "the agent works without a server", func() bool { return len(c.noted()) > n+1000 })
	agent.kill()
	agent = c.count(200_000, 201_000, "")
	c.serve()
	eventually(t, "the agent is done", func() bool { return c.noted()["s3 200999"] })
	c.delivered(0)
	agent.kill()
	c.server.kill()
	c.check(c.noted())
}

// A copy of an agent's folder, made while it had something to send: two agents start from it, and nothing is there twice, nor
// taken for something else.
func TestFolderCopied(t *testing.T) {
	t.Parallel()
	c := newCounting(t)
	agent := c.count(0, 500, "")
	eventually(t, "the agent has emitted", func() bool { return len(c.noted()) == 500 })
	agent.kill()
	twin := *c
	twin.home, twin.starts, twin.id = t.TempDir(), 10, "twin"
	if err := os.CopyFS(filepath.Join(twin.home, "outbox"), os.DirFS(filepath.Join(c.home, "outbox"))); err != nil {
		t.Fatal(err)
	}
	c.serve()
	agents := []*program{c.count(500, 1000, ""), twin.count(500, 1000, "")}
	eventually(t, "both have emitted", func() bool { return len(c.noted()) == 1000 && len(twin.noted()) == 500 })
	c.delivered(0)
	eventually(t, "the other one has delivered", func() bool { return twin.drained(1000) })
	agents[0].kill()
	agents[1].kill()
	c.server.kill()
	noted := c.noted()
	for key := range twin.noted() {
		noted[key] = true
	}
	c.check(noted)
}
