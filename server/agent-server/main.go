// Command agent-server keeps the connections of a fleet of agents, and gives people and programs access to them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jkstack/jkframe/v2/server"
	"github.com/jkstack/jkframe/v2/server/features"
)

// version is set when a release is built.
var version = "0.0.0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	cmd := server.Command{Version: version, Features: features.All(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	code := cmd.Main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
