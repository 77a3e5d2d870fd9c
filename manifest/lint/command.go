package lint

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Exit codes of [Command.Main].
const (
	ExitClean      = 0 // nothing was found that is as severe as -fail-on
	ExitFindings   = 1
	ExitUsage      = 2 // the command line is wrong
	ExitUnreadable = 3 // a file could not be read, or not as a manifest
)

// DefaultManifest is the file that is checked when none is named.
const DefaultManifest = "conf/manifest.yaml"

// Command is the command line manifest-lint.
type Command struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Color says whether text is coloured when -color is auto. By default, it is not.
	Color bool
}

// usageError is a mistake of whoever typed the command.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitError ends the command with a code; what there is to say was said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Main runs the command with the arguments that follow its name, and returns its exit code.
func (c Command) Main(args []string) int {
	root := c.root()
	root.SetArgs(longFlags(args))
	root.SetIn(c.Stdin)
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	err := root.Execute()
	if err == nil {
		return ExitClean
	}
	if code := exitError(0); errors.As(err, &code) {
		return int(code)
	}
	fmt.Fprintf(c.Stderr, "manifest-lint: %s\n", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		return ExitUsage
	}
	return ExitUnreadable
}

// longFlags lets flags have one dash, as those of Go's tools: -format json and --format json are the same.
func longFlags(args []string) []string {
	all := make([]string, len(args))
	for i, arg := range args {
		if arg == "--" {
			copy(all[i:], args[i:])
			break
		}
		if len(arg) > 2 && arg[0] == '-' && arg[1] != '-' && !strings.HasPrefix(arg, "-o=") {
			arg = "-" + arg
		}
		all[i] = arg
	}
	return all
}

func (c Command) root() *cobra.Command {
	f := &flags{}
	root := &cobra.Command{
		Use:   "manifest-lint [flags] [file|folder|-]...",
		Short: "Check manifest.yaml, the description of an agent's configuration",
		Long: `Check manifest.yaml, the description of an agent's configuration.

Without arguments conf/manifest.yaml is checked. Of a folder every manifest.yaml below it is checked, or, where there is
none, every *.yaml in it; - is the standard input. Flags may have one dash or two.

Exit codes: 0 nothing was found, 1 findings, 2 wrong usage, 3 a file cannot be read.`,
		Example: `  manifest-lint
  manifest-lint -conf conf/agent.conf conf/manifest.yaml
  manifest-lint -o sarif=lint.sarif -format github .
  manifest-lint -explain ML213`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE:          func(_ *cobra.Command, args []string) error { return c.lint(f, args) },
	}
	root.SetVersionTemplate("manifest-lint {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	f.add(root)
	root.AddCommand(c.formCommand(), c.valuesCommand(), c.renderCommand(), c.schemaCommand())
	return root
}

// version is that of the module, as the build recorded it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
