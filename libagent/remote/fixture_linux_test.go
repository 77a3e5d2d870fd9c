package remote_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/agenttest"
	"github.com/jkstack/jkframe/v2/libagent/remote"
	"github.com/jkstack/jkframe/v2/policy"
	"github.com/jkstack/jkframe/v2/wire"
)

type conf struct {
	libagent.Config `kv:"basic"`
}

// testApp is an agent that does nothing else.
type testApp struct {
	cfg    remote.Config
	remote *remote.Service
}

func (*testApp) Name() string                 { return "remote-agent" }
func (*testApp) Version() string              { return "1.0.0" }
func (*testApp) NewConfig() libagent.Settings { return &conf{} }
func (a *testApp) Setup(ag *libagent.Agent) (err error) {
	a.remote, err = remote.Open(ag, a.cfg)
	return err
}
func (a *testApp) Stop(context.Context, *libagent.Agent) error { return a.remote.Close() }

var _ libagent.Stopper = (*testApp)(nil)

// all is a policy that allows everything.
const all = "exec.enabled = true\nexec.allow = *\nexec.users = *\nfile.read = /\nfile.write = /\n"

// fixture is an agent with its server.
type fixture struct {
	*agenttest.Server
	agent  *agenttest.Agent
	s      *agenttest.Session
	dir    string
	policy string // file
	audit  *record
}

// record is an audit log in memory.
type record struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// start starts an agent with a policy.
func start(t testing.TB, rules string, opt *agenttest.Options) *fixture {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	f := &fixture{Server: agenttest.NewServer(t, opt), dir: dir, policy: filepath.Join(dir, "policy.conf"), audit: &record{}}
	put(t, f.policy, rules)
	f.agent = f.Start(&testApp{cfg: remote.Config{
		Policy: policy.NewSource(f.policy), DataDir: filepath.Join(dir, "data"), Audit: slog.New(slog.NewJSONHandler(f.audit, nil)),
	}}, nil)
	f.s = f.Accept()
	return f
}

func put(t testing.TB, file, text string) {
	t.Helper()
	must(t, os.WriteFile(file, []byte(text), 0o600))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ended is what a server learns of a command.
type ended struct {
	start wire.ExecdPayload
	out   string
	done  wire.ExecDonePayload
}

// run runs a command to its end.
func (f *fixture) run(t testing.TB, q wire.ExecPayload) ended {
	t.Helper()
	return follow(t, f.s, agenttest.Send(f.s, wire.Exec, q))
}

// follow takes what comes of a command; its output may not come after its end.
func follow(t testing.TB, s *agenttest.Session, task string) (e ended) {
	t.Helper()
	var err error
	if e.start, err = agenttest.Reply(s, task, wire.Execd); err != nil || !e.start.OK {
		must(t, err)
		return e
	}
	e.finish(t, s, task)
	return e
}

// finish takes the output and the end.
func (e *ended) finish(t testing.TB, s *agenttest.Session, task string) {
	t.Helper()
	var out bytes.Buffer // much may come
	defer func() { e.out += out.String() }()
	for {
		f, err := s.Next()
		must(t, err)
		if f.Task != task {
			t.Fatalf("message of type %v of task %q", f.Type, f.Task)
		}
		switch f.Type {
		case wire.ExecData.Type():
			p, err := wire.ExecData.Decode(f)
			must(t, err)
			out.Write(p.Data)
		case wire.ExecDone.Type():
			e.done, err = wire.ExecDone.Decode(f)
			must(t, err)
			return
		default:
			t.Fatalf("message of type %v: %s", f.Type, f.Error)
		}
	}
}

// runAgent is an agent of its own, for the test that kills it.
func runAgent(dir, server string) int {
	app := &testApp{cfg: remote.Config{Policy: policy.NewSource(filepath.Join(dir, "policy.conf")), DataDir: filepath.Join(dir, "data")}}
	c := app.NewConfig()
	c.Basic().ID, c.Basic().Server = "killed-01", strings.Split(server, ",")
	if err := libagent.Run(context.Background(), app, &libagent.Options{Config: c}); err != nil && !errors.Is(err, context.Canceled) {
		return 1
	}
	return 0
}
