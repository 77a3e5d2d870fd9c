package server_test

import (
	"context"
	"fmt"
	"os"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

type alarmPayload struct {
	Text string `json:"text"`
}

// alarm is a message that agents send of their own accord.
var alarm = wire.Define[alarmPayload](30110, "alarm", "alarm", wire.Urgent)

// A program that must not miss an alarm reads the journal: each alarm comes until the function has taken it, with an id by
// which it is known again. This agent, made by hand, does not keep what it sends; agents of package libagent do.
func ExampleConsume() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	srv, err := server.New(server.Config{Listen: "127.0.0.1:0", API: server.APIConfig{Listen: "127.0.0.1:0"}, DataDir: dir})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	err = server.Consume(srv, "alarms", alarm, func(_ context.Context, e server.Entry, p alarmPayload) error {
		fmt.Println(e.Agent, p.Text)
		stop() // this example has seen enough
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := srv.Listen(); err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error)
	go func() { ended <- srv.Run(ctx) }()

	c, err := conn.Dialer{}.Dial(ctx, "ws://"+srv.AgentAddr().String()+"/ws/agent")
	if err != nil {
		fmt.Println(err)
		return
	}
	hello, _ := wire.Come.Append(nil, "", &wire.ComePayload{ID: "host-17", Name: "fire-agent"})
	fire, _ := alarm.Append(nil, "", &alarmPayload{"fire"})
	if err := c.Send(ctx, conn.Bulk, hello, fire); err != nil {
		fmt.Println(err)
	}
	fmt.Println(<-ended)
	c.Close(conn.CodeNormal, "")
	// Output:
	// host-17 fire
	// <nil>
}
