package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// Command is the command line of the demo.
type Command struct {
	Stdout, Stderr io.Writer
}

// Main runs the command with the arguments after its name, and returns the exit code: 0, 1 when something failed, 2 when the
// arguments were wrong.
func (c Command) Main(ctx context.Context, args []string) int {
	o := Options{Out: c.Stdout}
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(c.Stderr)
	flags.StringVar(&o.Root, "root", ".", "root of the source tree")
	flags.Func("for", "end after this time, such as 5s (default: stay until Ctrl-C)", func(text string) (err error) {
		if text == "" {
			return nil
		}
		if o.For, err = time.ParseDuration(text); err == nil && o.For <= 0 {
			err = errors.New("want more than nothing")
		}
		return err
	})
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(c.Stderr, "demo: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	if err := Run(ctx, o); err != nil {
		fmt.Fprintln(c.Stderr, "demo:", err)
		return 1
	}
	return 0
}
