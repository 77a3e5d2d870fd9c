package features_test

import (
	"fmt"

	"github.com/jkstack/jkframe/v2/server/features"
)

// What agent-server is made of goes into server.Config.Features, or into server.Command.Features for the command line.
func ExampleAll() {
	for _, f := range features.All() {
		fmt.Println(f.Name())
	}
	// Output:
	// metrics
	// files
	// exec
	// layout
	// smart
}
