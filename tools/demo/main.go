// Command demo builds this tree's server and agents, runs them on this machine, and shows what there is to look at.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jkstack/jkframe/v2/tools/internal/demo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGHUP)
	defer stop()
	os.Exit(demo.Command{Stdout: os.Stdout, Stderr: os.Stderr}.Main(ctx, os.Args[1:]))
}
