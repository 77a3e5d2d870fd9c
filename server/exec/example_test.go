package exec_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
)

// A program that has the server within itself runs a command, here on an agent that is not there.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	f := files.New(files.Config{})
	commands := exec.New(exec.Config{Output: 1 << 20}, f)
	srv, err := server.New(server.Config{
		Listen: "127.0.0.1:0", API: server.APIConfig{Listen: "127.0.0.1:0"}, DataDir: dir, Features: []server.Feature{f, commands},
	})
	if err == nil {
		err = srv.Listen()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error)
	go func() { ended <- srv.Run(ctx) }()

	task, err := commands.Start(ctx, "host-17", exec.Request{Cmd: "uptime", Timeout: time.Minute})
	if err == nil {
		err = commands.Wait(ctx, task)
	}
	fmt.Println(err)

	stop()
	fmt.Println(<-ended)
	// Output:
	// agent not found
	// <nil>
}
