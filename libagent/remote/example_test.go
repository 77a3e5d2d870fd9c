package remote_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/libagent/remote"
	"github.com/jkstack/jkframe/v2/policy"
)

type settings struct {
	libagent.Config `kv:"basic"`
}

// handyAgent does what its author has made it for and, within the host's policy, what a server orders.
type handyAgent struct {
	dir    string
	ready  func()
	remote *remote.Service
}

func (*handyAgent) Name() string                 { return "handy-agent" }
func (*handyAgent) Version() string              { return "1.0.0" }
func (*handyAgent) NewConfig() libagent.Settings { return &settings{} }

func (a *handyAgent) Setup(ag *libagent.Agent) (err error) {
	a.remote, err = remote.Open(ag, remote.Config{
		Policy:  policy.NewSource(filepath.Join(a.dir, "policy.conf")),
		DataDir: filepath.Join(a.dir, "data"),
	})
	a.ready()
	return err
}

func (a *handyAgent) Stop(context.Context, *libagent.Agent) error { return a.remote.Close() }

// Run ends here as soon as the agent is set up; a program has libagent.Main in its place.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := policy.Init(filepath.Join(dir, "policy.conf")); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	err = libagent.Run(ctx, &handyAgent{dir: dir, ready: stop}, &libagent.Options{
		Config: &settings{libagent.Config{Server: []string{"127.0.0.1:13081"}}},
		Logger: slog.New(slog.DiscardHandler),
	})
	fmt.Println("ended:", err)
	// Output: ended: <nil>
}
