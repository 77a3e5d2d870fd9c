package layout_test

import (
	"context"
	"fmt"
	"os"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/exec"
	"github.com/jkstack/jkframe/v2/server/files"
	"github.com/jkstack/jkframe/v2/server/layout"
)

// A program that has the server within itself has something done on many nodes, group after group.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	f := files.New(files.Config{})
	commands := exec.New(exec.Config{}, f)
	layouts := layout.New(layout.Config{Parallel: 10}, commands, f)
	srv, err := server.New(server.Config{
		Listen: "127.0.0.1:0", API: server.APIConfig{Listen: "127.0.0.1:0"}, DataDir: dir, Features: []server.Feature{f, commands, layouts},
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

	over := make(chan struct{})
	run, err := layouts.Start(ctx, layout.Plan{
		Order:  []string{"canary", "web-1"},
		Groups: [][]string{{"canary"}, {"web-1"}},
		Do:     func(_ context.Context, id string) error { return fmt.Errorf("%s does not want to", id) },
		After:  func() { close(over) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-over
	for _, n := range run.State().Nodes {
		fmt.Printf("%s %s %q\n", n.ID, n.Status, n.Err)
	}

	stop()
	fmt.Println(<-ended)
	// Output:
	// canary failed "canary does not want to"
	// web-1 skipped ""
	// <nil>
}
