// Command load puts a server under the load of a fleet, and measures what it costs: load bench, load soak.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jkstack/jkframe/v2/bench/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := load.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}.Main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
