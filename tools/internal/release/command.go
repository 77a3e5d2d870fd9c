package release

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// Command is the command line of the packer.
type Command struct {
	Stdout, Stderr io.Writer
}

// Main runs the command with the arguments after its name, and returns the exit code: 0, 1 when something failed, 2 when the
// arguments were wrong.
func (c Command) Main(ctx context.Context, args []string) int {
	var (
		o       = Options{Log: c.Stdout}
		flags   = flag.NewFlagSet("release", flag.ContinueOnError)
		targets = flags.String("targets", "", "targets, joined by commas, such as linux/amd64,windows/386 (default all)")
		notes   = flags.String("notes", "", "print what CHANGELOG.md says of this version, and pack nothing")
	)
	flags.SetOutput(c.Stderr)
	flags.StringVar(&o.Root, "root", ".", "root of the source tree")
	flags.StringVar(&o.Out, "out", "", "folder of the release (default release below the root)")
	flags.StringVar(&o.Version, "version", "", "version of the release (default the topmost of CHANGELOG.md)")
	flags.BoolVar(&o.Archives, "archives", false, "archives only: no deb and no rpm")
	flags.StringVar(&o.Programs, "programs", "", "programs, joined by commas (default all)")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(c.Stderr, "release: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	var err error
	if o.Targets, err = ParseTargets(*targets); err != nil {
		fmt.Fprintln(c.Stderr, "release:", err)
		return 2
	}
	if *notes != "" {
		err = c.printNotes(o.Root, *notes)
	} else {
		err = Run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(c.Stderr, "release:", err)
		return 1
	}
	return 0
}

func (c Command) printNotes(root, version string) error {
	changelog, err := os.ReadFile(root + "/CHANGELOG.md")
	if err != nil {
		return err
	}
	section, err := Find(string(changelog), version)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.Stdout, section.Notes)
	return err
}
