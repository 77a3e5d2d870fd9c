package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

// conf is what the agent is configured with: what every agent has, and two settings of its own.
type conf struct {
	libagent.Config `kv:"basic"`

	Greeting string        `kv:"greeting" desc:"what the agent says to its log"`
	Interval time.Duration `kv:"interval" desc:"time between two greetings"`
}

func (c *conf) Validate() error {
	if c.Interval <= 0 {
		return fmt.Errorf("interval: %v is not positive", c.Interval)
	}
	return nil
}

type app struct{}

func (app) Name() string    { return "example-agent" }
func (app) Version() string { return version }

func (app) NewConfig() libagent.Settings {
	return &conf{Greeting: "hello", Interval: time.Minute}
}

func (app) Setup(ag *libagent.Agent) error {
	libagent.Handle(ag, wire.Foo, func(context.Context, wire.Empty) (wire.Empty, error) {
		return wire.Empty{}, nil
	})
	ag.Every("greet", libagent.ConfigOf[*conf](ag).Interval, greet)
	return nil
}

func greet(_ context.Context, ag *libagent.Agent) error {
	ag.Logger().Info(libagent.ConfigOf[*conf](ag).Greeting, "id", ag.ID())
	return nil
}
