package demo

import (
	"context"
	_ "embed" // the policy
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// patience bounds each wait for something that takes a fraction of a second on a machine that is not busy.
const patience = 30 * time.Second

// agents lists what is started beside the server, and the request of the API that shows each at work.
var agents = []agent{
	{name: "example-agent", dir: "examples/example-agent", request: "/api/foo/{id}"},
	{name: "metrics-agent", dir: "examples/metrics-agent", request: "/api/metrics/{id}/dynamic/usage"},
	{name: "exec-agent", dir: "examples/exec-agent", request: "/api/exec/{id}/run", body: `{"cmd":"hostname","result":true}`, policy: policy},
}

type agent struct {
	name    string // of the binary, and the type that the server knows it by
	dir     string
	request string // {id} stands for the name that the agent has in the fleet
	body    string // of a POST, "" for a GET
	policy  string // what the agent may do, "" for one that takes no orders
}

// policy is what the demo's exec-agent may do: a visitor can try a few commands that only look, and read two folders.
//
//go:embed policy.conf
var policy string

// Options say what is shown. The zero value shows the tree in the working directory until ctx ends, and prints nothing.
type Options struct {
	Root string        // of the source tree. By default, the working directory.
	For  time.Duration // how long all of it stays once the agents are connected. By default, until ctx ends.
	Out  io.Writer     // what there is to look at. By default, nothing is printed.
}

// Run builds, starts, shows and stops. It returns nil when every agent was connected and everything ended by itself when it
// was told to; an error says what went wrong, with the last lines of the process that was to blame. Nothing is left behind.
func Run(ctx context.Context, o Options) (err error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "jkframe-demo-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()

	d := &demo{root: root, work: work, out: o.Out, ended: make(chan *part, 1+len(agents))}
	if err := d.build(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.start(ctx); err != nil {
		return d.explain(err)
	}
	if err := d.show(ctx); err != nil {
		return d.explain(err)
	}
	return d.stay(ctx, o.For)
}

// demo is one run.
type demo struct {
	root, work string
	out        io.Writer
	server     settings
	parts      []*part    // in the order of their start
	ended      chan *part // gets each when it has ended; has room for all
}

func (d *demo) printf(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }

// build compiles the programs into the temporary folder.
func (d *demo) build(ctx context.Context) error {
	d.printf("Building the server and %d agent(s); the first time this takes a while …\n", len(agents))
	args := []string{"build", "-o", d.work + string(filepath.Separator), "./server/agent-server"}
	for _, a := range agents {
		args = append(args, "./"+a.dir)
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = d.root
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, said)
	}
	return nil
}

// start starts the server, then the agents, and waits until the server knows each of them.
func (d *demo) start(ctx context.Context) error {
	conf := filepath.Join(d.root, "server", "agent-server", "conf", "server.conf")
	if err := d.server.load(conf, d.home("agent-server")); err != nil {
		return err
	}
	for _, note := range d.server.notes {
		d.printf("%s\n", note)
	}
	if err := d.launch("agent-server", "server.conf", d.server.conf); err != nil {
		return err
	}
	if err := d.wait(ctx, "the server to be ready", d.server.ready); err != nil {
		return err
	}
	d.printf("agent-server   agents: ws://%s/ws/agent   API: http://%s\n", d.server.Listen, d.server.API.Listen)
	for _, a := range agents {
		conf, err := agentConf(filepath.Join(d.root, filepath.FromSlash(a.dir), "conf", "agent.conf"), d.server.Listen)
		if err != nil {
			return err
		}
		if a.policy != "" {
			if err := d.write(a.name, "policy.conf", []byte(a.policy)); err != nil {
				return err
			}
		}
		if err := d.launch(a.name, "agent.conf", conf); err != nil {
			return err
		}
	}
	for _, a := range agents {
		connected := func(ctx context.Context) error {
			_, err := d.server.idOf(ctx, a.name)
			return err
		}
		if err := d.wait(ctx, a.name+" to be connected", connected); err != nil {
			return err
		}
	}
	return nil
}

// home is the working directory of a program.
func (d *demo) home(name string) string { return filepath.Join(d.work, name+".home") }

// write writes a file into the config folder of a program.
func (d *demo) write(name, file string, data []byte) error {
	conf := filepath.Join(d.home(name), "conf")
	if err := os.MkdirAll(conf, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(conf, file), data, 0o600)
}

// launch starts a program in a folder of its own, with a config file there.
func (d *demo) launch(name, file string, conf []byte) error {
	if err := d.write(name, file, conf); err != nil {
		return err
	}
	binary := filepath.Join(d.work, name)
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	p, err := startPart(d.ended, name, d.home(name), binary, "run", "--conf", "conf/"+file)
	if err != nil {
		return err
	}
	d.parts = append(d.parts, p)
	return nil
}

// wait tries until it works, until a process has ended, or until patience is over.
func (d *demo) wait(ctx context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case p := <-d.ended:
			return fmt.Errorf("waited for %s: %w", what, p.unasked())
		case <-ctx.Done():
			return fmt.Errorf("waited for %s: %w: %w", what, ctx.Err(), err)
		}
	}
}

// stay waits for the end: of the time, of ctx, or of a process that was not told to end.
func (d *demo) stay(ctx context.Context, span time.Duration) error {
	var over <-chan time.Time
	if span > 0 {
		d.printf("\nEnds by itself in %v.\n", span)
		timer := time.NewTimer(span)
		defer timer.Stop()
		over = timer.C
	} else {
		d.printf("\nCtrl-C ends it.\n")
	}
	select {
	case <-over:
	case <-ctx.Done():
	case p := <-d.ended:
		// A Ctrl-C reaches the processes too, and they may be faster.
		if ctx.Err() == nil {
			return d.explain(p.unasked())
		}
	}
	return nil
}

// explain adds what the processes said last.
func (d *demo) explain(err error) error {
	for _, p := range d.parts {
		err = fmt.Errorf("%w\n--- last lines of %s ---\n%s", err, p.name, p.output.tail())
	}
	return err
}

// stop ends the processes, the last one first, so that the server sees its agents go.
func (d *demo) stop() error {
	var errs []error
	for i := len(d.parts) - 1; i >= 0; i-- {
		errs = append(errs, d.parts[i].stop())
	}
	return errors.Join(errs...)
}
