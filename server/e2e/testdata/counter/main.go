// Command counter is an agent that emits numbered messages and notes what its outbox has accepted, for tests of what is lost.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jkstack/jkframe/v2/libagent"
	"github.com/jkstack/jkframe/v2/wire"
)

type conf struct {
	libagent.Config `kv:"basic"`
	Start           string        `kv:"start"` // name of this start of the agent
	From            int           `kv:"from"`
	To              int           `kv:"to"`
	Every           time.Duration `kv:"every"`
	Burst           int           `kv:"burst"` // messages each time
	Pad             int           `kv:"pad"`   // bytes
	Accepted        string        `kv:"accepted"`
}

// numbered says which message this is.
type numbered struct {
	Start string `json:"start"`
	N     int    `json:"n"`
	Pad   string `json:"pad,omitempty"`
}

var number = wire.Define[numbered](30200, "number", "number")

type app struct{}

func (app) Name() string                 { return "counter" }
func (app) Version() string              { return "1.0.0" }
func (app) NewConfig() libagent.Settings { return &conf{Burst: 1} }

func (app) Setup(ag *libagent.Agent) error {
	c := libagent.ConfigOf[*conf](ag)
	file, err := os.OpenFile(c.Accepted, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	n, begin := c.From, time.Now()
	ag.Every("count", c.Every, func(ctx context.Context, ag *libagent.Agent) error {
		due := min(c.To, c.From+int(time.Since(begin)/c.Every)*c.Burst)
		for ; n < due; n++ {
			if err := libagent.Emit(ctx, ag, number, numbered{c.Start, n, strings.Repeat("x", c.Pad)}); err != nil {
				return err
			}
			if _, err := fmt.Fprintf(file, "%s %d\n", c.Start, n); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}

func main() { libagent.Main(app{}) }
