// Command release packs the programs of this tree for every system they run on, into release/.
package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/jkstack/jkframe/v2/tools/internal/release"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(release.Command{Stdout: os.Stdout, Stderr: os.Stderr}.Main(ctx, os.Args[1:]))
}
