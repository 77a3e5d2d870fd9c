package server_test

import (
	"context"
	"fmt"
	"os"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/wire"
	"github.com/jkstack/jkframe/v2/wire/conn"
)

type uptimePayload struct {
	Seconds int64 `json:"seconds"`
}

// uptime is a request with its reply, declared once for the server and the agents.
var uptime = wire.Call[wire.Empty, uptimePayload]{
	Request: wire.Define[wire.Empty](30100, "uptime request", ""),
	Reply:   wire.Define[uptimePayload](30101, "uptime", "uptime"),
}

// A server in a program of its own, with a request that only its agents know.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	srv, err := server.New(server.Config{
		Listen:  "127.0.0.1:0", // any free port
		API:     server.APIConfig{Listen: "127.0.0.1:0"},
		DataDir: dir,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := srv.Listen(); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- srv.Run(ctx) }()

	left := agentWithUptime(srv.AgentAddr().String())
	up, err := server.Call(ctx, srv, "host-17", uptime, wire.Empty{})
	fmt.Println(up.Seconds, err)

	stop()
	fmt.Println(<-ended)
	<-left
	// Output:
	// 4711 <nil>
	// <nil>
}

// agentWithUptime is an agent, made by hand: package libagent makes better ones. The channel is closed when it has left.
func agentWithUptime(addr string) <-chan struct{} {
	left := make(chan struct{})
	ctx := context.Background()
	c, err := conn.Dialer{}.Dial(ctx, "ws://"+addr+"/ws/agent")
	if err != nil {
		fmt.Println(err)
		return nil
	}
	hello, err := wire.Come.Append(nil, "", &wire.ComePayload{ID: "host-17", Name: "uptime-agent"})
	if err == nil {
		err = c.Send(ctx, conn.Control, hello)
	}
	if err == nil {
		_, err = c.Receive() // the answer to come
	}
	if err != nil {
		fmt.Println(err)
		return nil
	}
	go func() {
		defer close(left)
		defer c.Close(conn.CodeNormal, "")
		for {
			f, err := c.Receive()
			if err != nil {
				return
			}
			reply, err := uptime.Reply.Append(nil, f.Task, &uptimePayload{Seconds: 4711})
			if err == nil {
				err = c.Send(ctx, conn.Control, reply)
			}
			if err != nil {
				return
			}
		}
	}()
	return left
}
