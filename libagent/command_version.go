package libagent

import (
	"encoding/json"

	"github.com/jkstack/jkframe/v2/internal/build"
	"github.com/spf13/cobra"
)

func (c Command) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(*cobra.Command, []string) error {
			b := build.Of(c.App.Name(), c.App.Version())
			if asJSON {
				return failed(c.printJSON(b))
			}
			b.Print(c.Stdout)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON, with commit and date")
	return cmd
}

// printJSON prints a value for programs.
func (c Command) printJSON(v any) error {
	e := json.NewEncoder(c.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
