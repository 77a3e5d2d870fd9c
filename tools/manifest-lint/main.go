// Command manifest-lint checks manifest.yaml, the description of an agent's configuration, and makes forms and configuration
// files of it.
package main

import (
	"os"

	"github.com/jkstack/jkframe/v2/manifest/lint"
)

func main() {
	os.Exit(lint.Command{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Color: lint.IsTerminal(os.Stdout)}.Main(os.Args[1:]))
}
