package libagent_test

import (
	"context"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// helloConf is what the agent is configured with: what every agent has, and a setting of its own.
type helloConf struct {
	libagent.Config `kv:"basic"`
	Greeting        string `kv:"greeting"`
}

type helloApp struct{}

func (helloApp) Name() string                 { return "hello-agent" }
func (helloApp) Version() string              { return "1.0.0" }
func (helloApp) NewConfig() libagent.Settings { return &helloConf{Greeting: "hello"} }
func (helloApp) Setup(ag *libagent.Agent) error {
	libagent.Handle(ag, wire.Foo, func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil })
	ag.Every("greet", time.Minute, func(_ context.Context, ag *libagent.Agent) error {
		ag.Logger().Info(libagent.ConfigOf[*helloConf](ag).Greeting)
		return nil
	})
	return nil
}

// A whole agent. Its main function is this one line.
func Example() {
	libagent.Main(helloApp{})
}

// An author's own message: declared once, and used by both ends.
func ExampleEmit() {
	type load struct {
		One float64 `json:"one"`
	}
	Load := wire.Define[load](30000, "load", "load")

	// In Setup or in a job of the agent:
	send := func(ctx context.Context, ag *libagent.Agent) error {
		return libagent.Emit(ctx, ag, Load, load{One: 0.5})
	}
	_ = send
}
